namespace Retry.Messaging.Operations.Rules;

/// <summary>A rule as it was read.</summary>
/// <param name="Point">The work queue.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">The number of its document.</param>
internal sealed record RuleEntry(string Point, string Name, long Version)
{
    /// <summary>The rule; <see langword="null"/> where it cannot be read.</summary>
    public Rule? Rule { get; init; }

    /// <summary>Why it cannot be read, so that nothing is done about it.</summary>
    public string? WhyUnreadable { get; init; }

    /// <summary>Whether it is a rule that was not removed, or may be one.</summary>
    public bool Lives => WhyUnreadable is not null || Rule is { Removed: null };
}
