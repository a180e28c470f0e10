namespace Retry.Messaging.Operations.Rules;

/// <summary>A rule, and what keeps it from being carried out.</summary>
/// <param name="Entry">The rule as it was read.</param>
/// <param name="Next">Its next slot; <see langword="null"/> where it does not go by time, or rests.</param>
/// <param name="Trouble">Why nothing comes of it; <see langword="null"/> where something may.</param>
internal sealed record RuleReport(RuleEntry Entry, DateTimeOffset? Next, string? Trouble);
