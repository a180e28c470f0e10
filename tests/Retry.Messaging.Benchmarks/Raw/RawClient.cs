using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;

namespace Retry.Messaging.Benchmarks.Raw;

/// <summary>A plain client that prepares and checks what is measured.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private RawClient(IConnection connection) => Connection = connection;

    public IConnection Connection { get; }

    public static async Task<RawClient> ConnectAsync(Uri broker, CancellationToken cancellationToken) =>
        new(await new ConnectionFactory { Uri = broker, AutomaticRecoveryEnabled = false }.CreateConnectionAsync("benchmark", cancellationToken));

    /// <summary>Declares a work queue as MassTransit's <c>SetQuorumQueue</c> does.</summary>
    public async Task DeclareAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { [Headers.XQueueType] = "quorum" }, cancellationToken: cancellationToken);
    }

    /// <summary>Puts parcels into a queue and waits until the broker has them all.</summary>
    public Task FillAsync(string queue, int count, CancellationToken cancellationToken) => FillAsync(queue, count, ParcelBody.Properties, cancellationToken);

    /// <summary>Puts parcels with properties of their own into a queue and waits until the broker has them all.</summary>
    public async Task FillAsync(string queue, int count, Func<int, BasicProperties> properties, CancellationToken cancellationToken)
    {
        await using var publisher = await RawPublisher.OpenAsync(Connection, cancellationToken);
        for (var number = 0; number < count; number++)
        {
            await publisher.PublishAsync(string.Empty, queue, properties(number), ParcelBody.Of(number), cancellationToken);
        }

        await publisher.ConfirmedAsync(cancellationToken);
    }

    /// <summary>Puts messages of some size into a queue, all alike, and waits until the broker has them all.</summary>
    public async Task FillAlikeAsync(string queue, int count, int bytes, CancellationToken cancellationToken)
    {
        await using var publisher = await RawPublisher.OpenAsync(Connection, cancellationToken);
        var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent };
        var body = new byte[bytes];
        for (var number = 0; number < count; number++)
        {
            await publisher.PublishAsync(string.Empty, queue, properties, body, cancellationToken);
        }

        await publisher.ConfirmedAsync(cancellationToken);
    }

    /// <summary>Empties a queue.</summary>
    /// <returns>How many messages were in it.</returns>
    public async Task<uint> PurgeAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        return await channel.QueuePurgeAsync(queue, cancellationToken);
    }

    /// <summary>Waits until a queue holds so many messages.</summary>
    /// <exception cref="BenchmarkException">It does not.</exception>
    public async Task WaitForAsync(string queue, int count, CancellationToken cancellationToken)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        using var timer = new PeriodicTimer(LookEvery);
        for (var started = Stopwatch.GetTimestamp(); await channel.MessageCountAsync(queue, cancellationToken) is var found && found < count;)
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new BenchmarkException($"'{queue}' held {found} of {count} messages after {Patience.TotalMinutes:0} minutes.");
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Waits until somebody consumes from a queue.</summary>
    /// <exception cref="BenchmarkException">Nobody does.</exception>
    public async Task WaitForConsumerAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        using var timer = new PeriodicTimer(LookEvery);
        for (var started = Stopwatch.GetTimestamp(); await channel.ConsumerCountAsync(queue, cancellationToken) == 0;)
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
            {
                throw new BenchmarkException($"Nobody consumed from '{queue}' within {Patience.TotalMinutes:0} minutes.");
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>Counts the messages that are ready.</summary>
    public async Task<uint> CountAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        return await channel.MessageCountAsync(queue, cancellationToken);
    }

    /// <summary>Makes sure that a round left nothing behind: everybody has been stopped, so what was not acknowledged is ready again.</summary>
    /// <exception cref="BenchmarkException">Something was left.</exception>
    public async Task ExpectEmptyAsync(string queue, CancellationToken cancellationToken)
    {
        if (await CountAsync(queue, cancellationToken) is var left and not 0)
        {
            throw new BenchmarkException($"{left} messages were left in '{queue}' after the round: not everything was acknowledged.");
        }
    }

    public async ValueTask DisposeAsync() => await Connection.DisposeAsync();
}
