using System.Buffers.Binary;

namespace Retry.Messaging.Wire;

/// <summary>The token by which a scheduled message is cancelled: it tells when the message is due, so that a cancel knows how long to last.</summary>
/// <remarks>
/// A UUID of version 8 (RFC 9562), with the layout of version 7: 48 bits of milliseconds since 1970, here those when the message is due,
/// then twelve fixed bits and 62 random ones.
/// </remarks>
internal static class ScheduleToken
{
    // version 8, and twelve bits by which ours are told from another's
    private const ushort Mark = 0x85C4;

    /// <summary>Makes one.</summary>
    /// <param name="due">When the message is due.</param>
    public static Guid Create(DateTimeOffset due)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(due > DateTimeOffset.UnixEpoch ? due : DateTimeOffset.UnixEpoch).TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], Mark);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>When its message is due, rounded down to the millisecond; <see langword="null"/> for a token that was not made here.</summary>
    public static DateTimeOffset? DueOf(Guid token)
    {
        Span<byte> bytes = stackalloc byte[16];
        token.TryWriteBytes(bytes, bigEndian: true, out _);
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) != Mark)
        {
            return null;
        }

        var milliseconds = (long)(BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16);
        return DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(milliseconds, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
    }
}
