using MassTransit;
using Retry.Messaging.RabbitMq.Listing;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Counts the scheduled sends that the broker has, and notes them for the index where there is one.</summary>
internal sealed class SentSchedules(ScheduleIndexWriter? index)
{
    private static readonly string By = $"{AppDomain.CurrentDomain.FriendlyName}@{Environment.MachineName}";

    private KeyValuePair<string, object?>[] _labels = [];

    /// <summary>Learns where the messages go.</summary>
    public void Connected(RabbitMQ.Client.IConnection connection, string virtualHost) =>
        _labels = ScheduleMetrics.Labels(RetryConnection.Of(connection).Cluster, virtualHost);

    /// <summary>Takes in a send that was confirmed.</summary>
    public void Sent<T>(SendContext<T> context)
        where T : class
    {
        if (!ScheduledSend.WasRewritten(context))
        {
            return;
        }

        ScheduleMetrics.Scheduled(_labels);
        if (index is not null && ScheduleHeader.Read(context.GetPayload<RabbitMqSendContext>().BasicProperties.Headers) is { } state)
        {
            index.Note(new ScheduleNotice(
                state.DueAt.ToUnixTimeMilliseconds(),
                state.Kept.Exchange ?? string.Empty,
                string.IsNullOrEmpty(state.Kept.RoutingKey) ? null : state.Kept.RoutingKey,
                context.MessageId?.ToString(),
                context.Headers.Get<string>(MessageHeaders.SchedulingTokenId),
                TypeCache<T>.ShortName,
                By));
        }
    }
}
