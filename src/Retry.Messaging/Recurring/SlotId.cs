using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Retry.Messaging.Recurring;

/// <summary>Ids that follow from what they are for: the same slot has the same id, so that a copy is known for one.</summary>
internal static class SlotId
{
    /// <summary>The id of a slot.</summary>
    /// <param name="recurrence">The recurrence's name.</param>
    /// <param name="slot">When it is due.</param>
    public static Guid Of(string recurrence, DateTimeOffset slot) =>
        Derive(string.Create(CultureInfo.InvariantCulture, $"slot:{recurrence}:{slot.ToUnixTimeMilliseconds()}"));

    /// <summary>The id of a message that an operator asked for out of turn.</summary>
    /// <param name="recurrence">The recurrence's name.</param>
    /// <param name="request">The number of the request.</param>
    public static Guid OutOfTurn(string recurrence, long request) => Derive(string.Create(CultureInfo.InvariantCulture, $"now:{recurrence}:{request}"));

    /// <summary>The id of what has a name.</summary>
    /// <param name="name">A name that nothing else has.</param>
    public static Guid Derive(string name)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16);
        // RFC 9562, version 8 (custom) and variant bits
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true);
    }
}
