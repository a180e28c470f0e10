using System.Runtime.InteropServices;

namespace Retry.Messaging.Operations.Plans;

/// <summary>The plans of one queue: the open one, of which there is one at the most, and the last that ended. Pure.</summary>
/// <remarks>It is a document of the plan stream. Of two writers who have read the same version one counts, so it is the reservation, too.</remarks>
/// <param name="Queue">The work queue.</param>
internal sealed record PlanBook(string Queue)
{
    /// <summary>How many plans that ended are kept.</summary>
    public const int MostEnded = 10;

    /// <summary>How many messages may be kept from later plans because they may have been sent.</summary>
    public const int MostDoubtful = 4000;

    /// <summary>How long a plan that ended is kept at the most.</summary>
    public static readonly TimeSpan EndedLife = TimeSpan.FromDays(30);

    /// <summary>The plan that has the queue reserved.</summary>
    public Plan? Open { get; init; }

    /// <summary>The plans that ended, the last first.</summary>
    public IReadOnlyList<Plan> Ended { get; init; } = [];

    /// <summary>What later plans leave alone.</summary>
    public IReadOnlyList<DoubtfulKeys> Doubtful { get; init; } = [];

    /// <summary>All of them, the last first.</summary>
    public IEnumerable<Plan> Plans => Open is null ? Ended : [Open, .. Ended];

    /// <summary>The keys of all messages that may have been sent.</summary>
    public IReadOnlySet<ulong> DoubtfulKeys() => Doubtful.SelectMany(doubtful => ToKeys(doubtful.Keys)).ToHashSet();

    /// <summary>With a plan that has the queue reserved from now on.</summary>
    public PlanBook With(Plan open) => this with { Open = open };

    /// <summary>With the open plan at its end.</summary>
    /// <param name="plan">The plan as it ended.</param>
    /// <param name="keys">What it may have sent.</param>
    public PlanBook Without(Plan plan, IReadOnlyCollection<ulong> keys) => this with
    {
        Open = null,
        Ended = [.. Ended.Prepend(plan with { Keys = null, Doubtful = [] }).Where(ended => plan.RunAt - ended.RunAt < EndedLife).Take(MostEnded)],
        Doubtful = keys.Count == 0 ? Doubtful : [.. Doubtful, new DoubtfulKeys(plan.Id, ToBytes([.. keys]))],
    };

    /// <summary>Without those doubtful messages that are no longer parked.</summary>
    /// <param name="parked">The keys of the doubtful ones that are.</param>
    public PlanBook WithDoubtfulOnly(IReadOnlySet<ulong> parked) => this with
    {
        Doubtful = [.. Doubtful
            .Select(doubtful => doubtful with { Keys = ToBytes([.. ToKeys(doubtful.Keys).Where(parked.Contains)]) })
            .Where(doubtful => doubtful.Keys.Length > 0)],
    };

    /// <summary>Keys as bytes, in the order of this machine's bytes, which is little-endian on all that .NET runs on.</summary>
    public static byte[] ToBytes(ReadOnlySpan<ulong> keys) => MemoryMarshal.AsBytes(keys).ToArray();

    /// <summary>Bytes as keys.</summary>
    public static ulong[] ToKeys(ReadOnlySpan<byte> bytes) => MemoryMarshal.Cast<byte, ulong>(bytes).ToArray();
}
