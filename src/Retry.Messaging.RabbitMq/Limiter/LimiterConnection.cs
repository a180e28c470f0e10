using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter.Pacing;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>A connection of a limiter's own: for one session, never repaired, and watched down to its socket.</summary>
internal sealed class LimiterConnection : IReleaseLine, IAsyncDisposable
{
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(2);

    private readonly IConnection _connection;
    private readonly SocketWatch _watch;
    private readonly WakeUp _wakeUp;
    private readonly CancellationTokenSource _over = new();
    private volatile string? _ended;
    private volatile string? _blocked;

    private LimiterConnection(IConnection connection, SocketWatch watch, WakeUp wakeUp)
    {
        _connection = connection;
        _wakeUp = wakeUp;
        _watch = watch;
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        connection.ConnectionBlockedAsync += OnBlockedAsync;
        connection.ConnectionUnblockedAsync += OnUnblockedAsync;
    }

    /// <summary>Gets the client's connection.</summary>
    public IConnection Client => _connection;

    /// <summary>Gets the name of the broker's cluster, as it introduced itself.</summary>
    public string Cluster =>
        _connection.ServerProperties?.TryGetValue("cluster_name", out var name) == true && name is byte[] text ? Encoding.UTF8.GetString(text) : "unknown";

    /// <summary>Gets the virtual host.</summary>
    public required string VirtualHost { get; init; }

    /// <inheritdoc/>
    public string? Ended => _ended;

    /// <inheritdoc/>
    public CancellationToken Over => _over.Token;

    /// <inheritdoc/>
    public string? Blocked => _blocked;

    /// <summary>Opens one.</summary>
    public static async Task<LimiterConnection> OpenAsync(LimiterOptions options, WakeUp wakeUp, TimeProvider time, CancellationToken cancellationToken)
    {
        var watch = new SocketWatch(time);
        var virtualHost = string.Empty;
        var connection = await options.ConnectAsync(Prepare, cancellationToken).ConfigureAwait(false);
        return new LimiterConnection(connection, watch, wakeUp) { VirtualHost = virtualHost };

        void Prepare(ConnectionFactory factory)
        {
            watch.Prepare(factory);
            virtualHost = factory.VirtualHost;
        }
    }

    /// <summary>Opens the channel that messages come by and leave on; it ends with the session, and the session with it.</summary>
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
    public Task<long> ExpectAsync(IChannel channel, long notBefore) =>
        _watch.ExpectAsync(channel.ChannelNumber, _connection.Endpoint.Ssl.Enabled, notBefore);

    /// <summary>Notes that the session cannot go on.</summary>
    public Task EndAsync(string reason)
    {
        _ended ??= reason;
        _watch.End();
        _ = _over.CancelAsync();
        _wakeUp.Set();
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _connection.ConnectionShutdownAsync -= OnShutdownAsync;
        _connection.ConnectionBlockedAsync -= OnBlockedAsync;
        _connection.ConnectionUnblockedAsync -= OnUnblockedAsync;
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

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs args)
    {
        _blocked = args.Reason;
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs args)
    {
        _blocked = null;
        _wakeUp.Set();
        return Task.CompletedTask;
    }
}
