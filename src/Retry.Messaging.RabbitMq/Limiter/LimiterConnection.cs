using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter.Pacing;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A connection of a limiter's own: for one session, never repaired, and watched down to its socket.</summary>
internal sealed class LimiterConnection : ILimiterConnection, IAsyncDisposable
{
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);

    private readonly IConnection _connection;
    private readonly SocketWatch _watch;
    private readonly BrokerAlarm _alarm;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new();
    private volatile string? _ended;

    private LimiterConnection(IConnection connection, SocketWatch watch, TimeProvider time)
    {
        _connection = connection;
        _watch = watch;
        _time = time;
        Look = new PassiveLook(connection);
        WakeUp = new WakeUp(time);
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        _alarm = new BrokerAlarm(connection, WakeUp.Set);
    }

    /// <summary>Gets the name of the broker's cluster, as it introduced itself.</summary>
    public string Cluster =>
        _connection.ServerProperties?.TryGetValue("cluster_name", out var name) == true && name is byte[] text ? Encoding.UTF8.GetString(text) : "unknown";

    /// <summary>Gets the virtual host.</summary>
    public required string VirtualHost { get; init; }

    /// <inheritdoc/>
    public PassiveLook Look { get; }

    /// <inheritdoc/>
    public WakeUp WakeUp { get; }

    /// <inheritdoc/>
    public string? Ended => _ended;

    /// <inheritdoc/>
    public CancellationToken Over => _over.Token;

    /// <inheritdoc/>
    public string? Blocked => _alarm.Reason;

    /// <summary>Opens one.</summary>
    public static async Task<LimiterConnection> OpenAsync(LimiterOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var watch = new SocketWatch(time);
        var virtualHost = string.Empty;
        var connection = await options.ConnectAsync(Prepare, cancellationToken).ConfigureAwait(false);
        return new LimiterConnection(connection, watch, time) { VirtualHost = virtualHost };

        void Prepare(ConnectionFactory factory)
        {
            watch.Prepare(factory);
            virtualHost = factory.VirtualHost;
        }
    }

    /// <inheritdoc/>
    public async Task<IChannel> OpenChannelAsync(HoldTime hold, CancellationToken cancellationToken)
    {
        var options = new CreateChannelOptions(
            publisherConfirmationsEnabled: true,
            publisherConfirmationTrackingEnabled: false,
            outstandingPublisherConfirmationsRateLimiter: null);
        var channel = await _connection.CreateChannelAsync(options, cancellationToken).ConfigureAwait(false);
        channel.BasicReturnAsync += (_, args) =>
            EndAsync($"exchange '{args.Exchange}' returned a message: {args.ReplyText}. It has no alternate exchange; run 'retryctl topology verify'");
        channel.ChannelShutdownAsync += (_, args) =>
        {
            hold.Feels(args.ReplyText);
            return EndAsync($"the channel closed: {args.ReplyCode} {args.ReplyText}");
        };
        return channel;
    }

    /// <inheritdoc/>
    public IRecordStream OpenStream(string name, StreamRetention retention) => new RecordStream(_connection, name, retention, _time);

    /// <inheritdoc/>
    public Task<long> ExpectAsync(IChannel channel, long notBefore) =>
        _watch.ExpectAsync(channel.ChannelNumber, _connection.Endpoint.Ssl.Enabled, notBefore);

    /// <inheritdoc/>
    public Task EndAsync(string reason)
    {
        _ended ??= reason;
        _watch.End();
        _ = _over.CancelAsync();
        WakeUp.Set();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _connection.ConnectionShutdownAsync -= OnShutdownAsync;
        _alarm.Dispose();
        try
        {
            // the connection takes its channels with it, and the broker puts back what was not acknowledged
            await _connection.CloseAsync(Constants.ReplySuccess, "limiter ends", CloseTime, abort: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception))
        {
            // gone already
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private Task OnShutdownAsync(object sender, ShutdownEventArgs args) => EndAsync($"the connection closed: {args.ReplyCode} {args.ReplyText}");
}
