namespace Retry.Messaging.Operations.Rules;

/// <summary>Who said something about a rule.</summary>
/// <param name="By">Who.</param>
/// <param name="At">When.</param>
/// <param name="Why">Why, where it was said.</param>
internal sealed record RuleWord(string By, DateTimeOffset At, string? Why);
