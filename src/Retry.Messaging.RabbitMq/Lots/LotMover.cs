using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>Takes selected messages out of a parking lot, many at once, each only after its move is safe; one that has nowhere to go stays.</summary>
internal sealed class LotMover(
    LotReader reader,
    Func<LotDelivery, Task<bool>> move,
    int? limit,
    TimeProvider time,
    IProgress<ParkingProgress>? progress) : IDisposable
{
    /// <summary>How many moves may be on their way, or done and not yet streamed, at once.</summary>
    private const int Window = 1000;

    /// <summary>How many messages are announced at once, at the most.</summary>
    public const int LargestBlock = 500;

    // A confirm that has not come by then is held up by an alarm; the copy may exist, and the original stays parked.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _window = new(Window, Window);
    private readonly Channel<ParkedMessage> _moved = Channel.CreateUnbounded<ParkedMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // one for the loop that starts them
    private int _pending = 1;
    private Exception? _failure;

    /// <summary>The set that is moved; <see langword="null"/> where there is none.</summary>
    public LotSet? Set { get; init; }

    /// <summary>Writes down which messages are about to be moved, before the first of them is; <see langword="null"/> where nobody does.</summary>
    public Func<IReadOnlyList<LotDelivery>, Task>? Announce { get; init; }

    /// <summary>How fast moves begin; <see langword="null"/> for as fast as they can.</summary>
    public MovePace? Pace { get; init; }

    /// <summary>How many moves were begun.</summary>
    public int Started { get; private set; }

    // what a run that is cut off has announced in vain; what is slow is announced a second ahead
    private int BlockLength => Announce is null ? 1 : Pace is null ? LargestBlock : (int)Math.Clamp(Pace.PerSecond, 1, LargestBlock);

    /// <summary>Moves, and streams what was moved. However it ends, every move that was started is streamed first.</summary>
    public async IAsyncEnumerable<ParkedMessage> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = WorkAsync(stop);
        try
        {
            while (await _moved.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                while (_moved.Reader.TryRead(out var message))
                {
                    _window.Release();
                    yield return message;
                }
            }
        }
        finally
        {
            // also when the caller stops listening
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
        }
    }

    public void Dispose() => _window.Dispose();

    private async Task WorkAsync(CancellationTokenSource stop)
    {
        Exception? end = null;
        try
        {
            await StartAllAsync(stop).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // the enumerator gets it, after what was moved
        catch (Exception exception)
        {
            end = exception;
        }
#pragma warning restore CA1031

        Finish();
        try
        {
            // a failure, and whoever ends the run, may come when the last move has long been started
            await _settled.Task.WaitAsync(stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _settled.Task.WaitAsync(Patience, time).ConfigureAwait(false);
        }
        catch (TimeoutException exception)
        {
            end = new ParkingException(
                $"Messages published but not confirmed within {Patience.TotalSeconds:0} s: {Volatile.Read(ref _pending)}. They stay in their queue, and a copy of each may have arrived; every copy carries the plan's id. Look at the broker's alarms, then run the command again.",
                exception);
        }

        progress?.Report(reader.Progress);
        _moved.Writer.TryComplete(_failure ?? end);
    }

    // the next block is read while the one before is announced: a block at a time would wait for the broker at every few messages
    private async Task StartAllAsync(CancellationTokenSource stop)
    {
        var chosen = 0;
        var block = new List<LotDelivery>();
        var underWay = Task.CompletedTask;
        try
        {
            await foreach (var delivery in reader.ReadAsync(progress, stop.Token).ConfigureAwait(false))
            {
                if (delivery.Message is null)
                {
                    await reader.HoldAsync(delivery).ConfigureAwait(false);
                }
                else
                {
                    block.Add(delivery);
                    chosen++;
                }

                var isLast = chosen == limit;
                if (isLast || block.Count >= BlockLength || (!reader.HasArrived && underWay.IsCompleted))
                {
                    await underWay.ConfigureAwait(false);
                    underWay = StartBlockAsync(block, stop);
                    block = [];
                }

                if (isLast)
                {
                    break;
                }
            }
        }
        finally
        {
            await underWay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await underWay.ConfigureAwait(false);
        await StartBlockAsync(block, stop).ConfigureAwait(false);
    }

    private async Task StartBlockAsync(List<LotDelivery> block, CancellationTokenSource stop)
    {
        if (block.Count > 0 && Announce is not null)
        {
            stop.Token.ThrowIfCancellationRequested();
            await Announce(block).ConfigureAwait(false);
        }

        foreach (var delivery in block)
        {
            if (Pace is not null)
            {
                await Pace.WaitAsync(stop.Token).ConfigureAwait(false);
            }

            await _window.WaitAsync(stop.Token).ConfigureAwait(false);
            Interlocked.Increment(ref _pending);
            Started++;
            _ = MoveAsync(delivery, stop);
        }
    }

    private async Task MoveAsync(LotDelivery delivery, CancellationTokenSource stop)
    {
        try
        {
            if (!await move(delivery).ConfigureAwait(false))
            {
                await reader.HoldAsync(delivery).ConfigureAwait(false);
                Set?.Settle(delivery.Message!);
                _window.Release();
                return;
            }

            await reader.AcknowledgeAsync(delivery).ConfigureAwait(false);
            Set?.Settle(delivery.Message!);
            _moved.Writer.TryWrite(delivery.Message!);
        }
#pragma warning disable CA1031 // the first failure ends the whole run; the message stays parked
        catch (Exception exception)
        {
            if (Interlocked.CompareExchange(ref _failure, exception, null) is null)
            {
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }
#pragma warning restore CA1031
        finally
        {
            Finish();
        }
    }

    private void Finish()
    {
        if (Interlocked.Decrement(ref _pending) == 0)
        {
            _settled.TrySetResult();
        }
    }
}
