using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.Idempotency;

/// <summary>Forgets keys whose retention is over, every ten minutes, in small batches: others may write in between.</summary>
internal sealed partial class IdempotencyPruning(IIdempotencyStore store, TimeProvider time, ILogger<IdempotencyPruning> logger) : BackgroundService
{
    public const int Batch = 500;
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private const int NotPruned = 1502;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // SQLite's calls are synchronous, and the host's start waits for the first part of this method
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await store.PruneAsync(Batch, stoppingToken).ConfigureAwait(false) == Batch)
                {
                    await Task.Yield();
                }
            }
#pragma warning disable CA1031 // a store that is down for a while must not end the host
            catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
            {
                LogNotPruned(exception, Interval);
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(NotPruned, LogLevel.Warning, "Could not prune the idempotency store; it is tried again in {Interval}. Nothing is lost, the store only grows")]
    private partial void LogNotPruned(Exception exception, TimeSpan interval);
}
