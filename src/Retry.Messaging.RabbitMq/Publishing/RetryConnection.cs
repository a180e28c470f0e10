using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>What we have on one connection of the application: a publisher, and the knowledge of what it did not find.</summary>
internal sealed class RetryConnection
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);
    private static readonly ConditionalWeakTable<IConnection, RetryConnection> Known = [];

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly IConnection _connection;
    private readonly ConcurrentDictionary<string, long> _suspects = new(StringComparer.Ordinal);

    // nothing is closed when the connection closes: its channels are gone with it, and closing one by itself would keep
    // the application's shutdown waiting for an answer (measured: 20 s)
    private RetryConnection(IConnection connection)
    {
        _connection = connection;
        Publisher = new ConfirmedPublisher(connection);
        Cluster = Property(connection, "cluster_name") ?? "unknown";
        // without what follows a pre-release's dash
        Version = Version.TryParse(Property(connection, "version")?.Split('-', '+')[0], out var version) ? version : new Version(0, 0);
    }

    /// <summary>The publisher, shared by all retry points on the connection.</summary>
    public ConfirmedPublisher Publisher { get; }

    /// <summary>The ids of the chains that began on the connection.</summary>
    public GivenIds GivenIds { get; } = new();

    /// <summary>The name of the broker's cluster, as it introduced itself.</summary>
    public string Cluster { get; }

    /// <summary>The broker's version, as it introduced itself; 0.0 where it did not.</summary>
    public Version Version { get; }

    /// <summary>The client's connection.</summary>
    public IConnection Client => _connection;

    /// <summary>Whether the connection is open.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <summary>The largest frame that the broker takes.</summary>
    public uint FrameMax => _connection.FrameMax;

    /// <summary>The one for a connection.</summary>
    public static RetryConnection Of(IConnection connection) => Known.GetValue(connection, static c => new RetryConnection(c));

    /// <summary>A publish has found something missing: an exchange, or what it leads to.</summary>
    public event Action? SomethingMissing;

    /// <summary>Publishes, and remembers an exchange that was not there.</summary>
    /// <remarks>
    /// Publishing to an exchange that does not exist closes the channel for everybody on it. So an exchange that was missing
    /// once is looked for on a channel of its own before the next publish: by one of the thousands that may wait for it, every
    /// two seconds (2.1 % of a processor were spent on 200 that all looked, measured).
    /// </remarks>
    public async Task PublishAsync(
        string exchange,
        string routingKey,
        BasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken)
    {
        if (_suspects.TryGetValue(exchange, out var looked))
        {
            var now = _time.GetTimestamp();
            if (_time.GetElapsedTime(looked, now) < BetweenLooks || !_suspects.TryUpdate(exchange, now, looked))
            {
                throw Missing(exchange, null);
            }

            await LookForAsync(exchange, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await Publisher.PublishAsync(exchange, routingKey, properties, body, cancellationToken).ConfigureAwait(false);
        }
        catch (PublishRefusedException refused) when (refused.ReplyCode == Constants.NotFound)
        {
            // the channel closed for all publishes on it: the next one to this exchange finds out whether it was meant
            _suspects[exchange] = 0;
            SomethingMissing?.Invoke();
            throw Missing(exchange, refused);
        }
        catch (PublishRefusedException refused) when (refused.ReplyCode == Constants.NoRoute)
        {
            SomethingMissing?.Invoke();
            throw;
        }
    }

    private static string? Property(IConnection connection, string name) =>
        connection.ServerProperties?.TryGetValue(name, out var value) == true && value is byte[] text ? Encoding.UTF8.GetString(text) : null;

    private static PublishRefusedException Missing(string exchange, Exception? inner) =>
        new(
            $"Exchange '{exchange}' does not exist. A service with ManageTopology OnStart and the permission to configure declares it again within a minute. Where none has, run the command that 'retryctl topology verify' prints.",
            inner) { ReplyCode = Constants.NotFound };

    private async Task LookForAsync(string exchange, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(_connection);
        await using var ends = look.ConfigureAwait(false);
        Exception? trouble = null;
        try
        {
            if (await look.HasExchangeAsync(exchange, cancellationToken).ConfigureAwait(false))
            {
                _suspects.TryRemove(exchange, out _);
                return;
            }
        }
        catch (Exception exception) when (BrokerFailures.IsGone(exception))
        {
            trouble = exception;
        }

        SomethingMissing?.Invoke();
        throw trouble is null
            ? Missing(exchange, null)
            : new PublishRefusedException($"Exchange '{exchange}' was missing, and could not be looked for again: {trouble.Message.TrimEnd('.')}.", trouble);
    }
}
