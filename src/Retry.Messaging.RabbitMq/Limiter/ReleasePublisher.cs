using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Sends messages to the work queue, and knows what became of them.</summary>
/// <remarks>
/// The loop of a session owns it; only answers come from the client.
/// A message that met the death of a process goes by the rung of 500 ms. The process that releases it may be the one that
/// dies of it, and by then the release must be acknowledged: otherwise the release queue has the message a second time.
/// </remarks>
internal sealed class ReleasePublisher
{
    private static readonly TimeSpan SuspectDelay = DelayLadder.Step * 5;

    private readonly IChannel _channel;
    private readonly IReleaseLine _line;
    private readonly string _workQueue;
    private readonly TimeProvider _time;
    private readonly LadderRoute _route;
    private readonly LadderRoute _late;
    private readonly InFlight _inFlight = new();
    private readonly ConcurrentQueue<(ulong Number, bool Multiple, bool Refused)> _answers = new();
    private readonly RefusalGate _refusals;

    public ReleasePublisher(IChannel channel, IReleaseLine line, string workQueue, RefusalGate refusals, WakeUp wakeUp, TimeProvider time)
    {
        _channel = channel;
        _line = line;
        _workQueue = workQueue;
        _refusals = refusals;
        _time = time;
        _route = DelayLadder.Route(TimeSpan.Zero, workQueue);
        _late = DelayLadder.Route(SuspectDelay, workQueue);
        channel.BasicAcksAsync += (_, args) => AnsweredAsync(args.DeliveryTag, args.Multiple, refused: false);
        channel.BasicNacksAsync += (_, args) => AnsweredAsync(args.DeliveryTag, args.Multiple, refused: true);

        Task AnsweredAsync(ulong number, bool multiple, bool refused)
        {
            _answers.Enqueue((number, multiple, refused));
            wakeUp.Set();
            return Task.CompletedTask;
        }
    }

    /// <summary>Gets how many are unconfirmed.</summary>
    public int Unconfirmed => _inFlight.Count;

    /// <summary>Publishes, and waits until the bytes have left.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="visit">What is sent of it instead, because it came by before it is due.</param>
    /// <param name="wait">How long it still has to wait: <see cref="FineDelay.Last"/> at most.</param>
    /// <param name="cancellationToken">Ends the waiting, not the publish.</param>
    /// <returns>When they left, in timestamps of the clock.</returns>
    public async Task<long> SendAsync(LimitedDelivery delivery, ReleaseVisit? visit, TimeSpan wait, CancellationToken cancellationToken)
    {
        var due = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        var properties = visit?.Message.Properties ?? Republication.Stripped(delivery.Properties);

        // a priority that was taken off is in that header, and hardly any message has one: its state is not read for every release
        if (visit?.Climb is null && properties.Headers!.ContainsKey(RetryHeaderNames.Kept)
            && RetryHeaderReader.Read(properties.Headers, _workQueue).Kept.Priority is { } priority)
        {
            properties.Priority = priority;
        }

        var route = RetryHeaderReader.HasCrashed(properties.Headers!) ? _late : _route;
        _inFlight.Add(delivery with { Climb = visit?.Climb });
        var left = _line.ExpectAsync(_channel, due);
        try
        {
            await _channel.BasicPublishAsync(
                visit?.Message.Exchange ?? route.Exchange,
                visit?.Message.RoutingKey ?? route.RoutingKey,
                mandatory: true,
                properties,
                delivery.Body,
                _line.Over).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_line.Ended is not null)
        {
            // nothing leaves any more, and the session is told why
        }

        return await left.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes in what the broker has answered.</summary>
    public void Settle(Action<LimitedDelivery> confirmed, Action<LimitedDelivery> refused)
    {
        while (_answers.TryDequeue(out var answer))
        {
            foreach (var delivery in _inFlight.Settle(answer.Number, answer.Multiple))
            {
                (answer.Refused ? refused : confirmed)(delivery);
            }

            if (answer.Refused)
            {
                _refusals.Refused();
            }
            else
            {
                _refusals.Confirmed();
            }
        }
    }
}
