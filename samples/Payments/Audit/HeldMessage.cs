namespace Payments.Audit;

/// <summary>A message as it lies in a queue.</summary>
/// <param name="Queue">Where.</param>
/// <param name="PaymentId">Which payment.</param>
/// <param name="Reason">Why it is parked, where it is.</param>
internal sealed record HeldMessage(string Queue, string PaymentId, string? Reason);
