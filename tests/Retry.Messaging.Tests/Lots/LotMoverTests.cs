using System.Collections.Concurrent;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>When a message leaves its lot: after its move is safe, and never before.</summary>
public sealed class LotMoverTests
{
    private const string Lot = "work.parked";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly QueueBroker _broker = QueueBroker.Create();
    private readonly WaitedClock _clock = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _moves = new();
    private readonly List<string?> _moved = [];

    [Fact]
    public async Task Takes_a_message_out_when_its_move_is_safe()
    {
        var run = await StartAsync("a", "b", "c");
        Move("b").SetResult(true);
        await Eventually.TrueAsync(() => _moved.Count == 1, Deadline);
        Move("a").SetResult(true);
        Move("c").SetResult(true);

        await run;

        _moved.ShouldBe(["b", "a", "c"], ignoreOrder: true);
        _moved[0].ShouldBe("b");
        _broker.ReadyIn(Lot).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_has_nowhere_to_go_stays()
    {
        var run = await StartAsync("a", "b");
        Move("a").SetResult(false);
        Move("b").SetResult(true);

        await run;

        _moved.ShouldBe(["b"]);
        _broker.ReadyIn(Lot).ShouldBe(["a"]);
    }

    [Fact]
    public async Task The_first_failure_ends_it_after_what_was_on_its_way()
    {
        var run = await StartAsync("a", "b", "c");
        Move("b").SetException(new ParkingException("refused"));
        Move("a").SetResult(true);
        Move("c").SetResult(true);

        (await run.ShouldThrowAsync<ParkingException>()).Message.ShouldBe("refused");

        _moved.ShouldBe(["a", "c"], ignoreOrder: true);
        _broker.ReadyIn(Lot).ShouldBe(["b"]);
    }

    [Fact]
    public async Task Cancelled_it_ends_after_what_was_on_its_way()
    {
        using var stop = new CancellationTokenSource();
        _broker.StallsAfter(2);
        var run = await StartAsync(["a", "b", "c"], 2, stop.Token);
        await stop.CancelAsync();
        run.IsCompleted.ShouldBeFalse();
        Move("a").SetResult(true);
        Move("b").SetResult(true);

        await run.ShouldThrowAsync<OperationCanceledException>();

        _moved.ShouldBe(["a", "b"], ignoreOrder: true);
        _broker.ReadyIn(Lot).ShouldBe(["c"]);
    }

    [Fact]
    public async Task A_copy_that_is_never_confirmed_does_not_hold_a_failure_up()
    {
        var run = await StartAsync("a", "b");
        Move("a").SetException(new ParkingException("refused"));

        await _clock.RunAsync(run, static _ => Task.CompletedTask);

        // the failure is told, and what was not confirmed is still there
        (await run.ShouldThrowAsync<ParkingException>()).Message.ShouldBe("refused");
        _broker.ReadyIn(Lot).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Cancelled_after_the_last_was_started_it_waits_for_no_confirm_that_never_comes()
    {
        using var stop = new CancellationTokenSource();
        var run = await StartAsync(["a", "b"], 2, stop.Token);
        Move("a").SetResult(true);

        // the clock runs faster than what goes on after a confirm
        await Eventually.TrueAsync(() => _moved.Count == 1, Deadline);
        await stop.CancelAsync();

        await _clock.RunAsync(run, static _ => Task.CompletedTask);

        (await run.ShouldThrowAsync<ParkingException>()).Message.ShouldContain("not confirmed within 30 s: 1.");
        _moved.ShouldBe(["a"]);
        _broker.ReadyIn(Lot).ShouldBe(["b"]);
    }

    private TaskCompletionSource<bool> Move(string id) => _moves.GetOrAdd(id, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private Task<Task> StartAsync(params string[] ids) => StartAsync(ids, ids.Length, CancellationToken.None);

    // the run, once so many moves have been started
    private async Task<Task> StartAsync(string[] ids, int moves, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
        {
            _broker.Add(Lot, id);
        }

        var started = 0;
        var reader = await LotReader.OpenAsync(
            _broker.Connection,
            LotSource.ParkingLot(RetryPointNames.For("work")),
            new LotRequest(ParkedFilter.All) { TakesOut = true },
            _clock,
            CancellationToken.None);
        var run = Task.Run(RunAsync, CancellationToken.None);
        await Eventually.TrueAsync(() => Volatile.Read(ref started) == moves, Deadline, () => $"{started} of {moves} moves were started");
        return run;

        async Task RunAsync()
        {
            try
            {
                using var mover = new LotMover(reader, MoveAsync, limit: null, _clock, progress: null);
                await foreach (var message in mover.RunAsync(cancellationToken))
                {
                    _moved.Add(message.MessageId);
                }
            }
            finally
            {
                await reader.DisposeAsync();
            }
        }

        Task<bool> MoveAsync(LotDelivery delivery)
        {
            Interlocked.Increment(ref started);
            return Move(delivery.Message!.MessageId!).Task;
        }
    }
}
