using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>A queue has nothing ready: another reader has the rest, or it is on its way.</summary>
public sealed class LotArrivalsTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    private readonly FakeTimeProvider _clock = new();
    private volatile int _looks;
    private uint _ready;
    private bool _othersRead;

    [Fact]
    public async Task Beside_another_reader_the_rest_is_taken_for_that_ones_after_a_second()
    {
        _othersRead = true;
        var waiting = WaitAsync(Arrivals());

        await MoveOnAsync(() => waiting.IsCompleted);

        (await waiting).ShouldBeFalse();
        _looks.ShouldBe(2);
    }

    [Fact]
    public async Task Who_reads_alone_waits_for_what_is_on_its_way()
    {
        var arrivals = Arrivals();
        var waiting = WaitAsync(arrivals);
        await MoveOnAsync(() => _looks >= 10);
        waiting.IsCompleted.ShouldBeFalse();

        arrivals.Add(new LotDelivery(null!, 1, null, null));

        (await waiting.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_waits_is_woken_by_what_needs_no_answer()
    {
        var arrivals = Arrivals();
        var waiting = WaitAsync(arrivals);

        arrivals.Wake();

        (await waiting.WaitAsync(Deadline)).ShouldBeTrue();
        arrivals.TryTake(out var none).ShouldBeTrue();
        none.IsNone.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_reads_alone_does_not_wait_for_ever_for_what_somebody_has_taken_out()
    {
        var waiting = WaitAsync(Arrivals());

        await MoveOnAsync(() => waiting.IsCompleted);

        (await waiting).ShouldBeFalse();
        _looks.ShouldBe(20);
    }

    [Fact]
    public async Task What_is_ready_and_does_not_come_is_said_after_a_minute()
    {
        _ready = 3;
        var waiting = WaitAsync(Arrivals());

        await MoveOnAsync(() => waiting.IsCompleted);

        (await Should.ThrowAsync<TimeoutException>(waiting)).Message.ShouldBe("3 left");
    }

    private static Task<bool> WaitAsync(LotArrivals arrivals) =>
        Task.Run(() => arrivals.WaitAsync((left, _) => new TimeoutException($"{left} left"), CancellationToken.None));

    private LotArrivals Arrivals() => new(
        _ =>
        {
            _looks++;
            return Task.FromResult((_ready, _othersRead));
        },
        _clock);

    // its timer may be set a moment after the clock has moved
    private Task MoveOnAsync(Func<bool> until) => Eventually.TrueAsync(
        () =>
        {
            _clock.Advance(BetweenLooks);
            return until();
        },
        Deadline,
        every: TimeSpan.FromMilliseconds(2));
}
