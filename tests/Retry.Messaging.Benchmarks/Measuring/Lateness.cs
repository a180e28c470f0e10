using System.Diagnostics;
using Retry.Messaging.Benchmarks.Running;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>How late each message of a group comes back, by this process's monotonic clock.</summary>
/// <param name="total">How many messages there are.</param>
internal sealed class Lateness(int total)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly long[] _due = new long[total];
    private readonly double[] _late = new double[total];
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _returned;

    /// <summary>Tells that a message failed now and is due after a delay.</summary>
    public void Failed(int number, TimeSpan delay) => _due[number] = Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Tells that a message came back now.</summary>
    public void Returned(int number)
    {
        _late[number] = (Stopwatch.GetTimestamp() - _due[number]) * 1000.0 / Stopwatch.Frequency;
        if (Interlocked.Increment(ref _returned) == total)
        {
            _finished.TrySetResult();
        }
    }

    /// <summary>Waits until all are back, and gives their lateness in milliseconds.</summary>
    /// <exception cref="BenchmarkException">A message is missing.</exception>
    public async Task<Percentiles> FinishedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _finished.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new BenchmarkException($"{_returned} of {total} messages came back within {Patience.TotalMinutes:0} minutes.");
        }

        return Percentiles.Of(_late);
    }
}
