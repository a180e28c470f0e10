using System.Collections.Concurrent;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>What a raw client gets of the answers of <see cref="LedgerConsumer"/>, and how they compare.</summary>
internal sealed class LedgerAnswers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<(string Queue, string PaymentId), Answer> _first = new();
    private readonly ConcurrentDictionary<string, bool> _answered = new();
    private readonly ConcurrentQueue<string> _differences = new();
    private readonly IChannel _channel;

    private LedgerAnswers(IChannel channel) => _channel = channel;

    /// <summary>The requests that were answered.</summary>
    public ICollection<string> Answered => _answered.Keys;

    public int AnsweredCount => _answered.Count;

    /// <summary>The payments of which an event was published.</summary>
    public IEnumerable<string> Booked => _first.Keys.Where(key => key.Queue.EndsWith(nameof(LedgerMessages.Booked), StringComparison.Ordinal)).Select(key => key.PaymentId);

    /// <summary>Answers for one payment that differ in body, message id or correlation.</summary>
    public IReadOnlyCollection<string> Differences => _differences;

    public static async Task<LedgerAnswers> CollectAsync(RawClient raw)
    {
        string[] queues = [await raw.TapAsync(LedgerDelivery.ReplyExchange), await raw.TapAsync(FaultExchange.ExchangeOf<LedgerMessages.Booked>())];
        var answers = new LedgerAnswers(await raw.Connection.CreateChannelAsync());
        foreach (var queue in queues)
        {
            var consumer = new AsyncEventingBasicConsumer(answers._channel);
            consumer.ReceivedAsync += (_, delivery) =>
            {
                answers.Enter(queue, delivery);
                return Task.CompletedTask;
            };
            await answers._channel.BasicConsumeAsync(queue, autoAck: true, consumer);
        }

        return answers;
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();

    private void Enter(string queue, BasicDeliverEventArgs delivery)
    {
        using var envelope = JsonDocument.Parse(delivery.Body);
        var message = envelope.RootElement.GetProperty("message");
        var paymentId = message.GetProperty("paymentId").GetString()!;
        var answer = new Answer(delivery.BasicProperties.MessageId, delivery.BasicProperties.CorrelationId, message.GetRawText());
        var first = _first.GetOrAdd((queue, paymentId), answer);
        if (answer != first || answer.CorrelationId is null)
        {
            _differences.Enqueue($"{queue}: {answer} after {first}");
        }

        if (envelope.RootElement.TryGetProperty("requestId", out var request) && request.GetString() is { } id)
        {
            _answered.TryAdd(id, true);
        }
    }

    private sealed record Answer(string? MessageId, string? CorrelationId, string Content);
}
