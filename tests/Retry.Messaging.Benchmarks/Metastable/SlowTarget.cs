using System.Threading.Channels;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary>A target that gets slower the more waits for it: so many calls at a time, one queue before them, first come first served.</summary>
/// <remarks>
/// What is honest about it: a call whose caller has given up is served all the same, since a server does not know that, and is work for
/// nothing. The queue is bounded, as a backlog of connections is; a call that finds it full is never answered. And each call takes a little longer
/// the fuller the queue is, up to a tenth, for the switching and the memory. It keeps its own ledger.
/// </remarks>
internal sealed class SlowTarget : IAsyncDisposable
{
    /// <summary>How many calls it serves at a time.</summary>
    public const int Workers = 20;

    /// <summary>How many calls a second it can serve while it is well and its queue is short.</summary>
    public const int Capacity = 100;

    /// <summary>How many calls wait at most: five seconds of its capacity.</summary>
    public const int Room = 5 * Capacity;

    private const double SlowerWhenFull = 0.1;
    private static readonly TimeSpan Service = TimeSpan.FromSeconds((double)Workers / Capacity);

    private readonly Channel<Call> _queue = Channel.CreateUnbounded<Call>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Ledger _ledger;
    private readonly Task _work;
    private int _waiting;
    private volatile int _slower = 1;

    public SlowTarget(Ledger ledger)
    {
        _ledger = ledger;
        _work = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync)));
    }

    /// <summary>Gets how many calls wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Makes each call take so many times as long.</summary>
    public void Slow(int times) => _slower = times;

    /// <summary>Calls it.</summary>
    /// <param name="message">Which message it is for.</param>
    /// <param name="cancellationToken">The caller gives up; the target does not hear of it.</param>
    public async Task CallAsync(int message, CancellationToken cancellationToken)
    {
        var call = new Call(message);
        _ledger.Called();
        if (Interlocked.Increment(ref _waiting) > Room)
        {
            Interlocked.Decrement(ref _waiting);
            _ledger.Dropped();
        }
        else
        {
            await _queue.Writer.WriteAsync(call, CancellationToken.None).ConfigureAwait(false);
        }

        try
        {
            await call.Answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            call.IsAbandoned = true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task WorkAsync()
    {
        await foreach (var call in _queue.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            var full = (double)Interlocked.Decrement(ref _waiting) / Room;
            await Simulate.WorkAsync(Service * (_slower * (1 + (SlowerWhenFull * full))), _stop.Token).ConfigureAwait(false);
            if (call.IsAbandoned)
            {
                _ledger.Wasted();
            }
            else
            {
                _ledger.Answered(call.Message);
            }

            call.Answer.TrySetResult();
        }
    }

    private sealed class Call(int message)
    {
        public int Message => message;

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public volatile bool IsAbandoned;
    }
}
