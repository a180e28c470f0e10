using Retry.Messaging.Benchmarks.Running;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>Counts what is done, each message once, and measures from the first delivery to the last message done.</summary>
/// <param name="total">How many messages there are, numbered from 0.</param>
/// <param name="broker">The broker's process, where it runs on this machine.</param>
internal sealed class Tally(int total, int? broker)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly int[] _seen = new int[total];
    private readonly TaskCompletionSource<Sample> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stretch? _stretch;
    private int _begun;
    private int _done;

    /// <summary>Gets how many are done.</summary>
    public int DoneSoFar => Volatile.Read(ref _done);

    /// <summary>Tells that a delivery has come. The first one starts the clock.</summary>
    public void Begin()
    {
        if (Volatile.Read(ref _begun) == 0 && Interlocked.CompareExchange(ref _begun, 1, 0) == 0)
        {
            Volatile.Write(ref _stretch, Stretch.Start(broker));
        }
    }

    /// <summary>Tells that a message is done.</summary>
    public void Done(int number)
    {
        if (Interlocked.Increment(ref _seen[number]) != 1)
        {
            _finished.TrySetException(new BenchmarkException($"Message {number} was done twice. Nothing failed here, so nothing may come twice: the figures would mean nothing."));
        }
        else if (Interlocked.Increment(ref _done) == total)
        {
            // another thread may still be starting the clock when there is only one message
            SpinWait.SpinUntil(() => Volatile.Read(ref _stretch) is not null);
            _finished.TrySetResult(_stretch!.End(total));
        }
    }

    /// <summary>Ends the clock where somebody else counted what is done.</summary>
    public Sample End() => _stretch!.End(total);

    /// <summary>Waits until all are done.</summary>
    /// <exception cref="BenchmarkException">A message is missing, or came twice.</exception>
    public async Task<Sample> FinishedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _finished.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new BenchmarkException($"{DoneSoFar} of {total} messages were done within {Patience.TotalMinutes:0} minutes. Run it again with fewer (--messages).");
        }
    }
}
