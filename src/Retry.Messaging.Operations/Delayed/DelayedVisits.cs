namespace Retry.Messaging.Operations.Delayed;

/// <summary>How often what waits of a point comes by, as its instances say. Pure.</summary>
/// <param name="Within">The longest of the times that they say; <see langword="null"/> where no instance is there.</param>
/// <param name="Without">The instances whose messages come only when they are due, by host and process.</param>
/// <param name="WhyNone">Why nothing can be released; <see langword="null"/> where something can.</param>
internal sealed record DelayedVisits(string? Within, IReadOnlyList<string> Without, string? WhyNone)
{
    /// <summary>When what was released goes.</summary>
    public string InWords => (Within, Without.Count) switch
    {
        (null, _) => "No instance of its service is there. Each message goes when it comes by one that has read this.",
        (_, 0) => $"Each goes when it comes by, within {Within}; what was sent up before that was set, when it is due.",
        _ => $"Each goes when it comes by, within {Within}, but what these have sent up comes when it is due, because they lack ReleasableWithin: {string.Join(", ", Without)}.",
    };

    /// <summary>Puts together what instances say.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="instances">Each instance that is there, with its time.</param>
    public static DelayedVisits Of(string point, IReadOnlyList<(string Node, string? Within)> instances)
    {
        var longest = instances.Select(instance => instance.Within)
            .OfType<string>()
            .MaxBy(within => DurationText.TryParse(within, out var time) ? time : TimeSpan.Zero);
        return new DelayedVisits(
            longest,
            [.. instances.Where(instance => instance.Within is null).Select(instance => instance.Node)],
            longest is null && instances.Count > 0
                ? $"Found no ReleasableWithin at '{point}', wanted it to release what waits: its messages come only when they are due. 'retryctl policy set {point} --releasable-within 5m' has those that fail from now on come by."
                : null);
    }
}
