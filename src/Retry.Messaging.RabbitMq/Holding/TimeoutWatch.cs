using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>Asks the management API how patient the broker is with the points of a bus: at the start, and every five minutes.</summary>
internal sealed partial class TimeoutWatch(TimeProvider time, ILogger logger)
{
    private const string ConsumerTimeout = "consumer-timeout";

    // consumers report to the API a few seconds after they have begun
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private readonly ConcurrentBag<PointTimes> _points = [];
    private readonly Lock _lock = new();
    private IConnection? _connection;
    private string? _trouble;

    /// <summary>Looks after a point.</summary>
    public void Add(PointTimes point) => _points.Add(point);

    /// <summary>Asks from now on, until the connection closes.</summary>
    /// <param name="connection">The connection of the bus; all its endpoints may call.</param>
    /// <param name="client">Makes a client of the management API.</param>
    public void Start(IConnection connection, Func<ManagementClient> client)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_connection, connection))
            {
                return;
            }

            _connection = connection;
        }

        _ = RunAsync(connection, client);
    }

    /// <summary>Reads the consumer timeout and the delivery limit of each queue.</summary>
    internal static async Task<IReadOnlyDictionary<string, (TimeSpan? Timeout, long? Limit)>> ReadAsync(
        ManagementClient client,
        CancellationToken cancellationToken)
    {
        var queues = await QueueFactsReader.ReadQueuesAsync(
            client,
            await QueueFactsReader.ReadPoliciesAsync(client, cancellationToken).ConfigureAwait(false),
            await QueueFactsReader.ReadOperatorPoliciesAsync(client, cancellationToken).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
        var shown = ReadConsumers(await client.GetAsync($"consumers/{client.VirtualHostSegment}", cancellationToken).ConfigureAwait(false));
        return queues.ToDictionary(
            queue => queue.Name,
            queue => (
                Milliseconds(EffectiveSettings.Limit(queue, ConsumerTimeout) ?? shown.GetValueOrDefault(queue.Name)),
                EffectiveSettings.Limit(queue, PolicyKeys.DeliveryLimit)),
            StringComparer.Ordinal);
    }

    private async Task RunAsync(IConnection connection, Func<ManagementClient> client)
    {
        await Task.Delay(FirstPause, time).ConfigureAwait(false);
        while (connection.IsOpen)
        {
            try
            {
                using var asked = client();
                await asked.EnsureSameClusterAsync(connection, CancellationToken.None).ConfigureAwait(false);
                var found = await ReadAsync(asked, CancellationToken.None).ConfigureAwait(false);
                foreach (var point in _points)
                {
                    var (timeout, limit) = found.GetValueOrDefault(point.WorkQueue);
                    point.Shows(timeout, limit);
                }

                _trouble = null;
            }
#pragma warning disable CA1031 // what is not known is assumed; that is said
            catch (Exception exception)
            {
                if (connection.IsOpen && exception.Message != _trouble)
                {
                    _trouble = exception.Message;
                    LogUnseen(BrokerFailures.Explain(exception).TrimEnd('.'));
                }
            }
#pragma warning restore CA1031

            await Task.Delay(Pause, time).ConfigureAwait(false);
        }
    }

    private static Dictionary<string, long?> ReadConsumers(JsonElement consumers)
    {
        var lowest = new Dictionary<string, long?>(StringComparer.Ordinal);
        foreach (var consumer in consumers.ValueKind == JsonValueKind.Array ? consumers.EnumerateArray().ToList() : [])
        {
            // before 4.3 there is none
            if (consumer.TryGetProperty("consumer_timeout", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var timeout)
                && consumer.TryGetProperty("queue", out var queue) && queue.TryGetProperty("name", out var name) && name.GetString() is { } text)
            {
                lowest[text] = lowest.TryGetValue(text, out var other) && other < timeout ? other : timeout;
            }
        }

        return lowest;
    }

    private static TimeSpan? Milliseconds(long? timeout) => timeout is > 0 and <= uint.MaxValue ? TimeSpan.FromMilliseconds(timeout.Value) : null;

    [LoggerMessage(LogEvents.TimeoutUnseen, LogLevel.Warning, "Could not read consumer timeouts and delivery limits from the management API; the service assumes them: {Reason}. Check GradientRetry:Management, or set GradientRetry:ConsumerTimeout to the broker's consumer_timeout")]
    private partial void LogUnseen(string reason);
}
