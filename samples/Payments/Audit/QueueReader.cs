using Payments.Running;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Payments.Audit;

/// <summary>A plain AMQP client that looks at queues from outside.</summary>
internal sealed class QueueReader : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private IChannel? _channel;

    private QueueReader(IConnection connection) => Connection = connection;

    public IConnection Connection { get; }

    /// <summary>Connects, and waits for a broker that is not there yet.</summary>
    public static async Task<QueueReader> ConnectAsync(Uri broker, string name, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory { Uri = broker };
        for (var started = TimeProvider.System.GetTimestamp(); ;)
        {
            try
            {
                return new QueueReader(await factory.CreateConnectionAsync(name, cancellationToken));
            }
            catch (BrokerUnreachableException exception)
            {
                if (TimeProvider.System.GetElapsedTime(started) > Patience)
                {
                    throw new SampleException($"Found no broker at {factory.Endpoint} for {Patience.TotalSeconds:0} s: {exception.InnerException?.Message} Start one, or set {Run.BrokerVariable} to another.");
                }

                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    /// <summary>Returns how many messages of a queue are ready, or null when there is no such queue.</summary>
    public async Task<uint?> CountAsync(string queue, CancellationToken cancellationToken)
    {
        _channel ??= await Connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            return (await _channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            // the broker closes a channel that asked for what does not exist
            await _channel.DisposeAsync();
            _channel = null;
            return null;
        }
    }

    /// <summary>Waits until somebody has declared a queue.</summary>
    public async Task WaitForAsync(string queue, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (await CountAsync(queue, cancellationToken) is null)
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new SampleException($"Found no queue '{queue}' after {Patience.TotalSeconds:0} s; the consumer declares it when it starts. Look at the consumer's log.");
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>Returns those of the queues that exist.</summary>
    public async Task<IReadOnlyList<string>> ExistingAsync(IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        List<string> existing = [];
        foreach (var queue in queues)
        {
            if (await CountAsync(queue, cancellationToken) is not null)
            {
                existing.Add(queue);
            }
        }

        return existing;
    }

    /// <summary>Returns how many messages of all these queues are ready.</summary>
    public async Task<int> SumAsync(IEnumerable<string> queues, CancellationToken cancellationToken) =>
        (await CountEachAsync(queues, cancellationToken)).Values.Sum();

    /// <summary>Returns how many messages of each of these queues are ready.</summary>
    public async Task<IReadOnlyDictionary<string, int>> CountEachAsync(IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, int>();
        foreach (var queue in queues)
        {
            counts[queue] = (int)(await CountAsync(queue, cancellationToken) ?? 0);
        }

        return counts;
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
        {
            await _channel.DisposeAsync();
        }

        await Connection.DisposeAsync();
    }
}
