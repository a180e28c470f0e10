using Payments.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;

namespace Payments.Audit;

/// <summary>Every queue that a payment can be in.</summary>
/// <param name="Work">Where messages wait for the consumer: the work queue, and the release queue where there is one.</param>
/// <param name="Ladder">The rungs, where messages wait for their time.</param>
/// <param name="Parked">The parking lot.</param>
/// <param name="Stray">Where only messages are that went wrong: the lost queue, and MassTransit's own error and skipped queues.</param>
internal sealed record PaymentQueues(IReadOnlyList<string> Work, IReadOnlyList<string> Ladder, string Parked, IReadOnlyList<string> Stray)
{
    private const string ErrorSuffix = "_error";
    private const string SkippedSuffix = "_skipped";

    public IEnumerable<string> Waiting => [.. Work, .. Ladder, .. Stray];

    /// <summary>Waits until the consumer has declared its queues, and finds out which there are.</summary>
    public static async Task<PaymentQueues> FindAsync(QueueReader reader, CancellationToken cancellationToken)
    {
        var parked = BrokerNames.ParkedQueue(PaymentService.Queue);
        await reader.WaitForAsync(parked, cancellationToken);
        var rungs = DelayLadder.Levels.SelectMany(level => Enumerable.Range(1, level.MaxDigit).Select(digit => BrokerNames.Rung(level, digit)));
        return new PaymentQueues(
            await reader.ExistingAsync([PaymentService.Queue, BrokerNames.ReleaseQueue(PaymentService.Queue)], cancellationToken),
            await reader.ExistingAsync(rungs, cancellationToken),
            parked,
            await reader.ExistingAsync([BrokerNames.LostQueue, PaymentService.Queue + ErrorSuffix, PaymentService.Queue + SkippedSuffix], cancellationToken));
    }
}
