namespace Retry.Messaging.Operations.Verification;

/// <summary>Something on the broker that is not as it should be.</summary>
/// <param name="Kind">What kind of thing it is.</param>
/// <param name="Subject">Where, for example <c>queue 'retry.v1.30s'</c>.</param>
/// <param name="Found">What is there.</param>
/// <param name="Wanted">What should be.</param>
/// <param name="NextStep">What to do.</param>
internal sealed record TopologyFinding(TopologyFindingKind Kind, string Subject, string Found, string Wanted, string NextStep)
{
    /// <summary>The finding in one line.</summary>
    public override string ToString() => $"{Subject}: found {Found}, wanted {Wanted}. {NextStep}";
}
