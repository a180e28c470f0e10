namespace Retry.Messaging.Operations.Rules;

/// <summary>What is to be done next about a rule.</summary>
/// <param name="Write">The rule as it is to be written; <see langword="null"/> where nothing is.</param>
/// <param name="Begin">The run whose plan is to be made; <see langword="null"/> where none is.</param>
internal sealed record RuleStep(Rule? Write, RuleRun? Begin);
