using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Gates;

/// <summary>What each gate of the limiter answers: a clock, and no broker.</summary>
public sealed class GateTests
{
    private readonly FakeTimeProvider _clock = new();
    private int _unconfirmed;

    [Fact]
    public async Task An_alarm_closes_until_it_is_over()
    {
        string? alarm = "low on memory";
        var gate = new BrokerAlarmGate(() => alarm);

        (await AskAsync(gate)).ShouldBe(GateAnswer.Closed(TimeSpan.FromSeconds(1), "the broker takes no publishes: low on memory"));
        alarm = null;
        (await AskAsync(gate)).ShouldBe(GateAnswer.Open);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    public async Task As_many_as_the_window_has_may_be_unconfirmed(int unconfirmed, bool open)
    {
        var gate = new WindowGate(() => unconfirmed, () => 4);

        (await AskAsync(gate)).IsOpen.ShouldBe(open);
    }

    [Fact]
    public async Task A_refusal_closes_for_1_s_and_each_further_one_for_twice_as_long_up_to_30_s()
    {
        var gate = new RefusalGate(() => _unconfirmed, _clock);
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            gate.Refused();
            (await AskAsync(gate)).AskAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
            _clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            (await AskAsync(gate)).IsOpen.ShouldBeFalse();
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            (await AskAsync(gate)).IsOpen.ShouldBeTrue();
            gate.IsRefused.ShouldBeTrue();
        }

        gate.Confirmed();
        gate.IsRefused.ShouldBeFalse();
        gate.Refused();
        (await AskAsync(gate)).AskAfter.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task What_was_on_its_way_together_is_refused_once()
    {
        var gate = new RefusalGate(() => _unconfirmed, _clock);

        gate.Refused();
        gate.Refused();
        gate.Refused();

        (await AskAsync(gate)).AskAfter.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task After_a_refusal_one_message_is_tried_alone()
    {
        var gate = new RefusalGate(() => _unconfirmed, _clock);
        gate.Refused();
        _clock.Advance(TimeSpan.FromSeconds(1));

        _unconfirmed = 1;
        (await AskAsync(gate)).IsOpen.ShouldBeFalse();
        gate.Confirmed();
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0u, 0u, "the work queue has no consumer")]
    [InlineData(200u, 1u, null)]
    [InlineData(201u, 1u, "the work queue has more than 200 ready: 201")]
    public async Task The_work_queue_is_open_up_to_two_seconds_of_the_rate(uint ready, uint consumers, string? closed)
    {
        var gate = WorkQueue(Pacer(100), () => new QueueDeclareOk("orders", ready, consumers), prefetch: 10);

        (await AskAsync(gate)).IsOpen.ShouldBeFalse("nobody has looked yet");
        var answer = await AskAsync(gate);
        answer.IsOpen.ShouldBe(closed is null);
        answer.Reason.ShouldBe(closed);
    }

    [Fact]
    public async Task A_work_queue_that_does_not_exist_is_open_because_what_is_released_leaves_for_the_lost_queue()
    {
        var gate = WorkQueue(Pacer(100), () => null);

        await AskAsync(gate);
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
    }

    [Fact]
    public async Task Without_a_rate_nobody_looks_at_the_work_queue()
    {
        var looks = 0;
        var gate = WorkQueue(Pacer(null), () =>
        {
            looks++;
            return null;
        });

        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
        looks.ShouldBe(0);
    }

    [Fact]
    public async Task A_look_holds_for_a_second_and_the_next_begins_after_200_ms()
    {
        var looks = 0;
        var answer = new TaskCompletionSource<QueueDeclareOk?>();
        answer.SetResult(new QueueDeclareOk("orders", 0, 1));
        var gate = new WorkQueueGate(
            _ =>
            {
                looks++;
                return answer.Task;
            },
            prefetch: 1,
            Pacer(100),
            _clock);

        await AskAsync(gate);
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
        _clock.Advance(TimeSpan.FromMilliseconds(199));
        await AskAsync(gate);
        looks.ShouldBe(1);

        answer = new TaskCompletionSource<QueueDeclareOk?>();
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        (await AskAsync(gate)).IsOpen.ShouldBeTrue("the broker's answer is not waited for");
        looks.ShouldBe(2);
        _clock.Advance(TimeSpan.FromMilliseconds(800));
        (await AskAsync(gate)).IsOpen.ShouldBeFalse("the broker has been silent for a second");
    }

    [Fact]
    public async Task What_another_limiter_may_have_released_is_looked_at_anew_and_counts_as_released()
    {
        var pacer = Pacer(100);
        var gate = WorkQueue(pacer, () => new QueueDeclareOk("orders", 50, 1));
        await AskAsync(gate);
        await AskAsync(gate);
        pacer.Wait().ShouldBeGreaterThan(TimeSpan.FromMilliseconds(500), "50 messages at 100 per second");

        gate.Reset();
        (await AskAsync(gate)).IsOpen.ShouldBeFalse();
    }

    [Fact]
    public async Task A_look_tells_of_the_moment_in_which_it_began_however_late_its_answer_is_taken_in()
    {
        var gate = WorkQueue(Pacer(100), () => new QueueDeclareOk("orders", 0, 1));
        await AskAsync(gate);

        // nothing waited for an hour, so nobody asked
        _clock.Advance(TimeSpan.FromHours(1));

        (await AskAsync(gate)).IsOpen.ShouldBeFalse("the queue may have lost its consumers since");
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
    }

    [Fact]
    public async Task A_look_that_began_before_a_reset_does_not_count()
    {
        var gate = WorkQueue(Pacer(100), () => new QueueDeclareOk("orders", 0, 1));
        await AskAsync(gate);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        gate.Reset();

        (await AskAsync(gate)).IsOpen.ShouldBeFalse("that answer is older than the reset");
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
    }

    [Fact]
    public async Task The_rate_closes_until_shortly_before_the_next_message_is_due()
    {
        var pacer = Pacer(10);
        var gate = new PaceGate(pacer);
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();

        pacer.Take(_clock.GetTimestamp());

        var closed = await AskAsync(gate);
        closed.IsOpen.ShouldBeFalse();
        closed.AskAfter.ShouldBe(pacer.Wait());
        _clock.Advance(closed.AskAfter - FineDelay.Last);
        (await AskAsync(gate)).IsOpen.ShouldBeTrue();
        pacer.Wait().ShouldBe(FineDelay.Last, TimeSpan.FromMilliseconds(0.1));
    }

    private static ValueTask<GateAnswer> AskAsync(IReleaseGate gate) => gate.AskAsync(CancellationToken.None);

    private RedeliveryPacer Pacer(double? perSecond)
    {
        var pacer = new RedeliveryPacer(_clock);
        pacer.Change(perSecond is { } rate ? new RedeliveryLimit(rate, 1) : null);
        return pacer;
    }

    private WorkQueueGate WorkQueue(RedeliveryPacer pacer, Func<QueueDeclareOk?> found, int prefetch = 1) =>
        new(_ => Task.FromResult(found()), prefetch, pacer, _clock);
}
