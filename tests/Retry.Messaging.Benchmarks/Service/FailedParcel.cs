using RabbitMQ.Client;
using Retry.Messaging.Decisions;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>A parcel that failed, with the headers that graded retry gives it.</summary>
internal static class FailedParcel
{
    private static readonly DateTimeOffset FailedAt = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ParcelFailedException Failure = new();

    /// <summary>On its way up the ladder: its state, its history, its redelivery count.</summary>
    public static BasicProperties Climbing(IReadOnlyBasicProperties sent, string queue)
    {
        var state = Failed(sent) with { DueAt = FailedAt, Deadline = FailedAt };
        var climbing = Republication.Climbing(sent, state, queue);
        climbing.Headers![MassTransitHeaderNames.RedeliveryCount] = 1;
        return climbing;
    }

    /// <summary>In its parking lot: reason and history too, and what MassTransit tells about a fault.</summary>
    public static BasicProperties Parked(int number, string queue)
    {
        var sent = ParcelBody.Properties(number);
        var parked = Republication.With(sent, Failed(sent) with { Reason = ParkReason.Failed }, queue);
        parked.Headers![MassTransitHeaderNames.ExceptionType] = typeof(ParcelFailedException).FullName;
        parked.Headers[MassTransitHeaderNames.ExceptionMessage] = Failure.Message;
        parked.Headers[MassTransitHeaderNames.FaultedMessageType] = typeof(Parcel).FullName;
        parked.Headers[MassTransitHeaderNames.Timestamp] = FailedAt.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
        return parked;
    }

    private static RetryState Failed(IReadOnlyBasicProperties sent)
    {
        var failed = new FailedAttempt(Failure, Environment.MachineName) { FallbackId = sent.MessageId! };
        var fresh = RetryState.Fresh with { Kept = Republication.Keep(sent, "shop", "order", null) };
        return RetryDecider.Refuse(fresh, failed, ParkReason.Failed, FailedAt).State;
    }
}
