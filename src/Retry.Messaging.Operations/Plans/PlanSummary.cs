namespace Retry.Messaging.Operations.Plans;

/// <summary>A plan, and what becomes of it at the moment.</summary>
/// <param name="Plan">The plan as it was written down last.</param>
/// <param name="Progress">What becomes of it.</param>
internal sealed record PlanSummary(Plan Plan, PlanProgress Progress)
{
}
