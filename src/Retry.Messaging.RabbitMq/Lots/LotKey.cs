using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>What a message in a lot is known by: its id and how often, and by which plan, it was replayed, so that one that was replayed and
/// parked again is another one.</summary>
/// <remarks>Eight bytes of a hash stand for it: of a million messages two different ones have the same with a chance of one in thirty
/// million.</remarks>
internal static class LotKey
{
    /// <summary>The key of a message.</summary>
    public static ulong Of(ParkedMessage message) => Of(message.WorkQueue, message.Id, message.Replayed, message.Plan);

    /// <summary>The key of a message, of which no more is known than this.</summary>
    public static ulong Of(string workQueue, string id, int replayed, string? plan) => Hash($"{workQueue}\n{id}\n{replayed}\n{plan}");

    /// <summary>What a message is known by, however often it was replayed.</summary>
    public static ulong OfId(ParkedMessage message) => Hash($"{message.WorkQueue}\n{message.Id}");

    private static ulong Hash(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
