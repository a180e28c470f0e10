using Microsoft.Extensions.Logging;
using Retry.Messaging.Idempotency;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Has a lease last for as long as its consumer runs: each third of its time, it begins again.</summary>
/// <remarks>
/// When to renew is told by this process's own clock, which counts time and knows no date; when a lease is over, by the store's, which all
/// processes share. A process that sleeps renews nothing. When it wakes up after somebody has taken its key over, it has lost it for good.
/// </remarks>
internal sealed partial class LeaseRenewal : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly PeriodicTimer _timer;
    private readonly string _queue;
    private readonly IIdempotencyStore _store;
    private readonly IdempotencyLease _lease;
    private readonly TimeSpan _length;
    private readonly ILogger _logger;
    private readonly Task _renewing;

    private LeaseRenewal(string queue, IIdempotencyStore store, IdempotencyLease lease, TimeSpan length, TimeProvider time, ILogger logger)
    {
        _queue = queue;
        _store = store;
        _lease = lease;
        _length = length;
        _logger = logger;
        _timer = new PeriodicTimer(length / 3, time);
        _renewing = RenewAsync();
    }

    /// <summary>Begins.</summary>
    public static LeaseRenewal Start(string queue, IIdempotencyStore store, IdempotencyLease lease, TimeSpan length, TimeProvider time, ILogger logger) =>
        new(queue, store, lease, length, time, logger);

    /// <summary>Ends it, and does not wait for a renewal that is under way.</summary>
    public Task StopAsync()
    {
        // a timer that is disposed of ends the wait for its next tick; a token would throw, for each message, which takes 34 µs
        _timer.Dispose();
        return _ended.CancelAsync();
    }

    /// <summary>Ends it, and waits for a renewal that is under way.</summary>
    /// <remarks>In SQLite that may have been written before the consumer's own writes, to be committed together with them: it ends after them.</remarks>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _renewing.ConfigureAwait(false);
        _ended.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            while (await _timer.WaitForNextTickAsync().ConfigureAwait(false) && await IsMineAsync().ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException)
        {
            // the consumer has ended
        }
    }

    private async Task<bool> IsMineAsync()
    {
        try
        {
            if (await _store.RenewAsync(_lease, _length, _ended.Token).ConfigureAwait(false))
            {
                return true;
            }

            if (!_ended.IsCancellationRequested)
            {
                LogTakenOver(_queue, _lease.Key.Value);
            }

            return false;
        }
#pragma warning disable CA1031 // a store that is down now may be back before the lease has run out
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogNotRenewed(exception, _queue, _lease.Key.Value, _length / 3);
            return true;
        }
    }

    [LoggerMessage(LogEvents.LeaseTakenOver, LogLevel.Warning, "{Queue}: the lease of key '{Key}' has been taken over: this process slept, or could not reach its store, for longer than the lease. What its consumer still does is not committed")]
    private partial void LogTakenOver(string queue, string key);

    [LoggerMessage(LogEvents.LeaseNotRenewed, LogLevel.Warning, "{Queue}: the lease of key '{Key}' could not be renewed; it is tried again in {Interval}")]
    private partial void LogNotRenewed(Exception exception, string queue, string key, TimeSpan interval);
}
