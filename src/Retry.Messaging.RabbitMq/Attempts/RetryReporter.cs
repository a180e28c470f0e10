using Microsoft.Extensions.Logging;

namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>Says in the log which attempts of a retry point failed and when each is repeated: one line a retry, a few lines at most while many fail.</summary>
/// <remarks>In an outage every message fails. The first lines of each window show what is wrong; its last line counts what was left out.</remarks>
internal sealed partial class RetryReporter(string queue, TimeProvider time, ILogger logger)
{
    /// <summary>How many retries of a window have a line of their own.</summary>
    public const int LinesInWindow = 10;

    /// <summary>How long a window is, from its first retry.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private int _retries;
    private string? _lastError;

    /// <summary>An attempt failed, and its message is safe on the ladder.</summary>
    /// <param name="retryId">The chain.</param>
    /// <param name="attempt">The attempt that failed.</param>
    /// <param name="delay">The time until the next one.</param>
    /// <param name="error">Type and message of its error, on one line.</param>
    public void Retried(string? retryId, int attempt, TimeSpan delay, string? error)
    {
        if (!logger.IsEnabled(LogLevel.Information))
        {
            return;
        }

        int retries;
        lock (_lock)
        {
            retries = ++_retries;
            _lastError = error;
        }

        if (retries == 1)
        {
            _ = EndWindowAsync();
        }

        if (retries <= LinesInWindow)
        {
            LogRetry(queue, retryId, attempt, DurationText.Format(delay), error);
        }
    }

    /// <summary>An attempt of a request failed, and its requester will have given up before another could begin.</summary>
    /// <param name="retryId">The chain.</param>
    /// <param name="attempt">The attempt that failed.</param>
    /// <param name="error">Type and message of its error, on one line.</param>
    public void Dropped(string? retryId, int attempt, string? error) => LogDropped(queue, retryId, attempt, error);

    private async Task EndWindowAsync()
    {
        await Task.Delay(Window, time).ConfigureAwait(false);
        int leftOut;
        string? error;
        lock (_lock)
        {
            (leftOut, error) = (_retries - LinesInWindow, _lastError);
            _retries = 0;
        }

        if (leftOut > 0)
        {
            LogLeftOut(queue, leftOut, DurationText.Format(Window), error);
        }
    }

    [LoggerMessage(LogEvents.RetryScheduled, LogLevel.Information, "{Queue}: attempt {Attempt} of {RetryId} failed; the next one follows in {Delay}. {Error}")]
    private partial void LogRetry(string queue, string? retryId, int attempt, string delay, string? error);

    [LoggerMessage(LogEvents.Dropped, LogLevel.Information, "{Queue}: request {RetryId} is dropped after attempt {Attempt}: its requester will have given up before the next one. {Error}")]
    private partial void LogDropped(string queue, string? retryId, int attempt, string? error);

    [LoggerMessage(LogEvents.RetriesLeftOut, LogLevel.Information, "{Queue}: failed attempts of the last {Window} without a line of their own: {Count}. Each has its next attempt. The last error: {Error}")]
    private partial void LogLeftOut(string queue, int count, string window, string? error);
}
