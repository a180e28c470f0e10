using System.Collections;
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Estates;

/// <summary>Queues as a plain client sees them.</summary>
internal sealed class RawQueues(IConnection connection)
{
    private static readonly string[] Brokers = ["x-delivery-count", "x-acquired-count", "x-dotnet-pub-seq-no"];

    private IChannel? _channel;

    public async Task PublishAsync(string queue, BasicProperties properties, byte[] body, string exchange = "") =>
        await (await ChannelAsync()).BasicPublishAsync(exchange, queue, mandatory: true, properties, body);

    public async Task DeclareAsync(string queue, Dictionary<string, object?>? arguments = null) =>
        await (await ChannelAsync()).QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments);

    /// <summary>How many are ready; -1 where there is no queue.</summary>
    public async Task<long> CountAsync(string queue)
    {
        try
        {
            return await (await ChannelAsync()).MessageCountAsync(queue);
        }
        catch (OperationInterruptedException)
        {
            return -1;
        }
    }

    /// <summary>Waits until a queue has a number of ready messages.</summary>
    public Task WaitForCountAsync(string queue, long wanted) =>
        Eventually.TrueAsync(async () => await CountAsync(queue) == wanted, TimeSpan.FromSeconds(20), () => $"'{queue}' has another count than {wanted}");

    /// <summary>Empties a queue and gives what was in it.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> DrainAsync(string queue)
    {
        var all = new List<BasicGetResult>();
        var channel = await ChannelAsync();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
        {
            all.Add(message);
        }

        return all;
    }

    /// <summary>Reads a queue and leaves all in it.</summary>
    public async Task<IReadOnlyList<BasicGetResult>> ReadAsync(string queue)
    {
        var all = new List<BasicGetResult>();
        await using (var channel = await connection.CreateChannelAsync())
        {
            while (await channel.BasicGetAsync(queue, autoAck: false) is { } message)
            {
                all.Add(message);
            }
        }

        await WaitForCountAsync(queue, all.Count);
        return all;
    }

    /// <summary>All that a message says, but for headers that do not count: its properties and headers with their types, and its body.</summary>
    public static string Said(BasicGetResult message, Func<string, bool>? without = null)
    {
        var properties = message.BasicProperties;
        var said = new StringBuilder(Convert.ToBase64String(message.Body.Span));
        foreach (var property in typeof(IReadOnlyBasicProperties).GetProperties().Where(property => property.Name != nameof(IReadOnlyBasicProperties.Headers)))
        {
            said.Append(CultureInfo.InvariantCulture, $"\n{property.Name}={property.GetValue(properties)}");
        }

        Append(said, properties.Headers?.Where(header => !Brokers.Contains(header.Key) && without?.Invoke(header.Key) != true) ?? []);
        return said.ToString();
    }

    private static void Append(StringBuilder said, IEnumerable<KeyValuePair<string, object?>> table)
    {
        foreach (var (name, value) in table.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            said.Append(CultureInfo.InvariantCulture, $"\n{name}: ");
            Append(said, value);
        }
    }

    private static void Append(StringBuilder said, object? value)
    {
        switch (value)
        {
            case byte[] bytes:
                said.Append(Convert.ToBase64String(bytes));
                break;
            case IDictionary<string, object?> table:
                Append(said, table.AsEnumerable());
                break;
            case IList list:
                foreach (var item in list)
                {
                    Append(said.Append('-'), item);
                }

                break;
            default:
                said.Append(CultureInfo.InvariantCulture, $"{value?.GetType().Name} {value}");
                break;
        }
    }

    private async Task<IChannel> ChannelAsync()
    {
        if (_channel is not { IsOpen: true })
        {
            _channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        }

        return _channel;
    }
}
