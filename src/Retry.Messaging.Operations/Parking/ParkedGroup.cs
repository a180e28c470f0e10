using System.Security.Cryptography;
using System.Text;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Parked messages that have something in common.</summary>
/// <param name="Name">What they have in common; empty where they tell nothing of it.</param>
internal sealed record ParkedGroup(string Name)
{
    /// <summary>Eight hexadecimal digits that stand for the name.</summary>
    public string Id => IdOf(Name);

    /// <summary>How many there are.</summary>
    public long Count { get; init; }

    /// <summary>How many of them were replayed before, and parked again.</summary>
    public long CameBack { get; init; }

    /// <summary>When the first of them was parked.</summary>
    public DateTimeOffset? First { get; init; }

    /// <summary>When the last of them was parked.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>The id of one of them, to look at.</summary>
    public string? Example { get; init; }

    /// <summary>What stands for a name.</summary>
    public static string IdOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 4));
}
