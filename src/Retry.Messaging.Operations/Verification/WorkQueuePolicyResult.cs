namespace Retry.Messaging.Operations.Verification;

/// <summary>What became of a work queue's policy.</summary>
/// <param name="Outcome">What was done.</param>
/// <param name="Policy">The policy that was written, or that somebody should read and write.</param>
/// <param name="Message">One line for a person.</param>
/// <param name="IsDone">Whether the queue now has all that it needs.</param>
internal sealed record WorkQueuePolicyResult(WorkQueuePolicyOutcome Outcome, WorkQueuePolicy? Policy, string Message, bool IsDone = false);
