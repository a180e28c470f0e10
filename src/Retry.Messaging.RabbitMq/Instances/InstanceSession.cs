using System.Collections.Concurrent;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>An instance on one connection: its sign of life, what it says, and what the others say.</summary>
/// <remarks>
/// The sign of life is a queue that this connection consumes from and the broker deletes with its last consumer. It ends when
/// the connection does, so the broker takes the sign and the deliveries away together. Nothing is closed by hand: all
/// channels end with the connection.
/// </remarks>
#pragma warning disable CA1001 // all that is on the connection ends with it, and a semaphore without a wait handle holds nothing
internal sealed class InstanceSession(IConnection connection, string instance, InstanceFacts facts, string by, TimeProvider time)
#pragma warning restore CA1001
{
    // how long a death explains that messages come back
    private static readonly TimeSpan Evidence = TimeSpan.FromMinutes(10);

    // should the broker not see the last consumer go, because it went itself
    private static readonly TimeSpan Expiry = TimeSpan.FromHours(1);
    private static readonly TimeSpan RepeatEvery = Announcements.Life / 3;

    private readonly ConcurrentDictionary<string, ServedPoint> _points = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _missing = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly InstanceBook _book = new();
    private readonly PassiveLook _look = new(connection);
    private readonly Announcements _announcements = new(new RecordStream(connection, BrokerNames.AnnouncementStream, Announcements.Retention, time));

    /// <summary>Gets the connection.</summary>
    public IConnection Connection => connection;

    /// <summary>Gets a value indicating whether it hears the others.</summary>
    public bool IsOpen => connection.IsOpen && _announcements.Failure is null;

    /// <summary>Gets a value indicating whether the others believe that this instance has ended.</summary>
    public bool IsForgotten => _book.HasEnded(instance);

    /// <summary>Shows the sign of life, and reads what has been said so far.</summary>
    /// <exception cref="ControlException">The broker refuses it.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            var queue = BrokerNames.InstanceQueue(instance);
            var expires = new Dictionary<string, object?> { [Headers.XQueueType] = "classic", [Headers.XExpires] = (long)Expiry.TotalMilliseconds };
            await channel.QueueDeclareAsync(
                queue,
                durable: true,
                exclusive: false,
                autoDelete: true,
                expires,
                cancellationToken: cancellationToken).ConfigureAwait(false);
            await channel.BasicConsumeAsync(queue, autoAck: true, new AsyncDefaultBasicConsumer(channel), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception)
        {
            throw new ControlException(
                $"Queue '{BrokerNames.InstanceQueue(instance)}' cannot be used: {exception.ShutdownReason?.ReplyText ?? exception.Message}. Allow the user to configure and read {BrokerNames.InstancePrefix}*.",
                exception);
        }

        await _announcements.FollowAsync(_book.Read, cancellationToken).ConfigureAwait(false);
        _ = RepeatAsync();
    }

    /// <summary>Says that this instance is about to consume from a point's queue. Returns when the broker has it.</summary>
    public async Task BeginAsync(ServedPoint point, CancellationToken cancellationToken)
    {
        if (_points.TryAdd(point.Queue, point))
        {
            try
            {
                await SayAsync(point, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                _points.TryRemove(point.Queue, out _);
                throw;
            }
        }
    }

    /// <summary>Says what has changed of a point that it serves.</summary>
    public Task ChangeAsync(ServedPoint point, CancellationToken cancellationToken)
    {
        _points[point.Queue] = point;
        return SayAsync(point, cancellationToken);
    }

    /// <summary>Says that this instance stops. Returns when the broker has it.</summary>
    public Task EndAsync(CancellationToken cancellationToken) =>
        _announcements.SayAsync(InstanceDocument.Ended(instance, by, time.GetUtcNow()), cancellationToken);

    /// <summary>Looks whether an instance that should be consuming from a queue has gone without a word, in the last ten minutes.</summary>
    public async Task<bool> HasSomebodyDiedAsync(string queue, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var missing = await FindMissingAsync(queue, cancellationToken).ConfigureAwait(false);
            if (missing.Count == 0)
            {
                return false;
            }

            // an instance that stops in good order says so before it goes: that may be on its way here
            await _announcements.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            return _book.Serving(queue).Intersect(missing).Any();
        }
        finally
        {
            _one.Release();
        }
    }

    private Task SayAsync(ServedPoint point, CancellationToken cancellationToken) =>
        _announcements.SayAsync(InstanceDocument.Began(point, instance, facts, by, time.GetUtcNow()), cancellationToken);

    private async Task<IReadOnlyList<string>> FindMissingAsync(string queue, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        foreach (var other in _book.Serving(queue).Where(other => other != instance))
        {
            if (await _look.FindQueueAsync(BrokerNames.InstanceQueue(other), cancellationToken).ConfigureAwait(false) is { ConsumerCount: > 0 })
            {
                _missing.TryRemove(other, out _);
            }
            else if (time.GetElapsedTime(_missing.GetOrAdd(other, time.GetTimestamp())) < Evidence)
            {
                found.Add(other);
            }
            else
            {
                // what it held has come back long ago
                await _announcements.SayAsync(InstanceDocument.Ended(other, by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            }
        }

        return found;
    }

    // before retention reaches what was said
    private async Task RepeatAsync()
    {
        using var stop = new CancellationTokenSource();
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        try
        {
            while (connection.IsOpen)
            {
                await Task.Delay(RepeatEvery, time, stop.Token).ConfigureAwait(false);
                foreach (var point in _points.Values)
                {
                    await SayAsync(point, stop.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is ControlException || BrokerFailures.IsGoneOrSilent(exception))
        {
            // the connection is gone, or the stream; the next session says it again
        }
        finally
        {
            connection.ConnectionShutdownAsync -= OnShutdownAsync;
        }

        async Task OnShutdownAsync(object sender, RabbitMQ.Client.Events.ShutdownEventArgs args) => await stop.CancelAsync().ConfigureAwait(false);
    }
}
