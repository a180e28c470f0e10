using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Decisions;

public class RetryDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(8, 9)]
    public void So_many_retries_are_one_attempt_more_numbered_without_a_gap(int retries, int attempts)
    {
        var rules = RetryRules.Create(retry => retry.Fixed(Second).Retries(retries));
        var state = RetryState.Fresh;
        var now = Now;
        for (var attempt = 1; attempt < attempts; attempt++)
        {
            var again = Decide(rules, state, now: now).ShouldBeOfType<RetryDecision.Again>();
            again.State.Attempt.ShouldBe(attempt + 1);
            again.Delay.ShouldBe(Second);
            again.DueAt.ShouldBe(now + Second);
            (state, now) = (again.State, again.DueAt);
        }

        var park = Decide(rules, state, now: now).ShouldBeOfType<RetryDecision.Park>();
        park.Reason.ShouldBe(ParkReason.Exhausted);
        park.State.History.Attempts.Select(attempt => attempt.Number).ShouldBe(Enumerable.Range(1, attempts).TakeLast(10));
        park.State.FirstFailedAt.ShouldBe(Now);
        park.State.DueAt.ShouldBeNull();
    }

    [Fact]
    public void What_fails_while_its_point_is_switched_off_is_parked_at_once()
    {
        var rules = RetryRules.Compile(new RetryPointSettings { Switch = RetrySwitch.Off });

        var park = Decide(rules, RetryState.Fresh).ShouldBeOfType<RetryDecision.Park>();

        park.Reason.ShouldBe(ParkReason.SwitchedOff);
        park.State.History.Attempts.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(30, 60, 30)]
    [InlineData(30, 10, 10)]
    public void A_deadline_that_is_written_down_only_shrinks(int written, int validFor, int expected)
    {
        var rules = RetryRules.Create(retry => { retry.Fixed(Second); retry.ValidFor(TimeSpan.FromMinutes(validFor)); });
        var state = RetryState.Fresh with { Attempt = 2, FirstFailedAt = Now, Deadline = Now.AddMinutes(written) };

        Decide(rules, state, now: Now.AddSeconds(1)).ShouldBeOfType<RetryDecision.Again>().State.Deadline.ShouldBe(Now.AddMinutes(expected));
        Redeliver(rules, state, Second).ShouldBeOfType<RetryDecision.Again>().State.Deadline.ShouldBe(Now.AddMinutes(expected));
    }

    /// <summary>What a stranger wrote is brought down to the last attempt; what the history bears out stays, also after a policy was shortened.</summary>
    [Theory]
    [InlineData(int.MaxValue, 0, 4)]
    [InlineData(999, 0, 4)]
    [InlineData(999, 7, 4)]
    [InlineData(3, 0, 4)]
    [InlineData(2, 0, 3)]
    [InlineData(8, 7, 9)]
    public void A_number_beyond_the_last_attempt_is_written_down_as_the_last_one(int found, int lastInHistory, int next)
    {
        var history = lastInHistory == 0 ? RetryHistory.Empty : RetryHistory.Empty.With(new RetryAttempt(lastInHistory, Now, "host", "Error", "message"));
        var rules = RetryRules.Create(retry => { retry.Fixed(Second).Retries(2); retry.Fail<FormatException>(); });

        Decide(rules, RetryState.Fresh with { Attempt = found, History = history }, new FormatException())
            .ShouldBeOfType<RetryDecision.Park>().State.Attempt.ShouldBe(next);
    }

    [Fact]
    public void What_no_consumer_took_is_parked_with_its_cause_in_the_history()
    {
        var failure = new FailedAttempt(new FormatException("not JSON"), "host") { FallbackId = "fallback" };

        var park = RetryDecider.Refuse(RetryState.Fresh, failure, ParkReason.Malformed, Now);

        park.Reason.ShouldBe(ParkReason.Malformed);
        park.State.Id.ShouldBe("fallback");
        park.State.FirstFailedAt.ShouldBe(Now);
        park.State.History.Attempts.ShouldHaveSingleItem().Message.ShouldBe("not JSON");
    }

    [Fact]
    public void The_exception_decides_between_done_parked_and_again()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Fixed(Second);
            retry.Done<DuplicateWaitObjectException>();
            retry.Fail<FormatException>();
        });

        Decide(rules, exception: new DuplicateWaitObjectException()).ShouldBeOfType<RetryDecision.Done>();
        Decide(rules, exception: new FormatException()).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Failed);
        Decide(rules, exception: new OperationCanceledException()).ShouldBeOfType<RetryDecision.Again>();
    }

    [Fact]
    public void A_failure_of_the_data_is_parked_as_failed_even_on_the_last_attempt_or_after_the_deadline() =>
        Decide(
            RetryRules.Create(retry => { retry.Fixed(Second).Retries(0); retry.Fail<FormatException>(); }),
            RetryState.Fresh with { FirstFailedAt = Now.AddYears(-1) },
            new FormatException())
            .ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Failed);

    [Fact]
    public void The_state_tells_what_happened()
    {
        var again = Decide(RetryRules.Create(retry => retry.Fixed(Second)), exception: new FormatException("bad\nline")).ShouldBeOfType<RetryDecision.Again>();

        again.State.Id.ShouldBe("m-1");
        again.State.FirstFailedAt.ShouldBe(Now);
        again.State.Deadline.ShouldBe(Now + RetryDefaults.ValidFor);
        again.State.DueAt.ShouldBe(Now + Second);
        again.State.Error.ShouldBe("System.FormatException: bad line");
        again.State.History.Attempts.ShouldHaveSingleItem().ShouldBe(new RetryAttempt(1, Now, "host", "System.FormatException", "bad line"));
    }

    [Fact]
    public void A_chain_keeps_its_id_and_its_first_failure_but_no_suspicion()
    {
        var state = RetryState.Fresh with { Id = "chain", Attempt = 2, FirstFailedAt = Now.AddHours(-1), Crashes = 1, Replayed = 3 };

        var next = Decide(RetryRules.Create(retry => retry.Fixed(Second)), state).ShouldBeOfType<RetryDecision.Again>().State;

        next.ShouldBe(state with { Attempt = 3, Crashes = 0, DueAt = Now + Second, Deadline = Now.AddHours(-1) + RetryDefaults.ValidFor, Error = next.Error, History = next.History });
    }

    [Theory]
    [InlineData(10, 10, true)]
    [InlineData(10, 9, false)]
    [InlineData(10, 0, false)]
    [InlineData(10, -60, false)]
    public void A_next_attempt_after_the_validity_is_parked_now(int delay, int secondsLeft, bool again)
    {
        var rules = RetryRules.Create(retry => { retry.Fixed(delay * Second); retry.ValidFor(TimeSpan.FromHours(1)); });
        var state = RetryState.Fresh with { Attempt = 2, FirstFailedAt = Now.AddSeconds(secondsLeft).AddHours(-1) };

        var decision = Decide(rules, state);

        if (again)
        {
            decision.ShouldBeOfType<RetryDecision.Again>();
        }
        else
        {
            decision.ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
        }
    }

    [Theory]
    [InlineData(5, false, false)]
    [InlineData(5, true, true)]
    [InlineData(-5, false, false)]
    [InlineData(-5, true, true)]
    public void After_its_own_deadline_a_message_is_parked_and_a_request_forgotten(int secondsLeft, bool isRequest, bool forgotten)
    {
        var decision = Decide(RetryRules.Create(retry => retry.Fixed(10 * Second)), deadline: Now.AddSeconds(secondsLeft), isRequest: isRequest);

        if (forgotten)
        {
            decision.ShouldBeOfType<RetryDecision.Drop>().State.Attempt.ShouldBe(2);
        }
        else
        {
            decision.ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
        }
    }

    [Fact]
    public void A_request_without_a_deadline_is_parked_when_its_validity_is_over() =>
        Decide(RetryRules.Create(retry => { retry.Fixed(10 * Second); retry.ValidFor(5 * Second); }), isRequest: true)
            .ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);

    [Fact]
    public void The_earlier_of_both_deadlines_holds()
    {
        var rules = RetryRules.Create(retry => { retry.Fixed(Second); retry.ValidFor(TimeSpan.FromMinutes(1)); });

        Decide(rules, deadline: Now.AddSeconds(30)).ShouldBeOfType<RetryDecision.Again>().State.Deadline.ShouldBe(Now.AddSeconds(30));
        Decide(rules, deadline: Now.AddHours(1)).ShouldBeOfType<RetryDecision.Again>().State.Deadline.ShouldBe(Now.AddMinutes(1));
    }

    [Fact]
    public void Until_expired_the_validity_alone_ends_it()
    {
        var rules = RetryRules.Create(retry => { retry.Fixed(Second).UntilExpired(); retry.ValidFor(TimeSpan.FromHours(1)); });

        Decide(rules, RetryState.Fresh with { Attempt = 5_000, FirstFailedAt = Now.AddMinutes(-59) }).ShouldBeOfType<RetryDecision.Again>();
        Decide(rules, RetryState.Fresh with { Attempt = 5_000, FirstFailedAt = Now.AddMinutes(-61) }).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
    }

    [Fact]
    public void A_first_failure_in_the_future_does_not_prolong_the_validity() =>
        Decide(RetryRules.Create(retry => { retry.Fixed(Second).UntilExpired(); retry.ValidFor(TimeSpan.FromHours(1)); }), RetryState.Fresh with { Attempt = 2, FirstFailedAt = Now.AddYears(500) })
            .ShouldBeOfType<RetryDecision.Again>().State.Deadline.ShouldBe(Now.AddHours(1));

    [Theory]
    [InlineData("00:00:45", "00:00:45")]
    [InlineData("00:09:58", "00:09:58")]
    [InlineData("00:00:12.3456", "00:00:12.4")]
    [InlineData("12.00:00:00", null)]
    public void Retry_after_replaces_the_delay_of_the_policy_exactly(string asked, string? expected)
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Exponential(Second, 3, 2 * Second).Jitter(Jitter.Full);
            retry.RetryAfter<TimeoutException>(_ => TimeSpan.Parse(asked, System.Globalization.CultureInfo.InvariantCulture));
        });

        var decision = Decide(rules, exception: new TimeoutException());

        if (expected is null)
        {
            decision.ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
        }
        else
        {
            decision.ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(TimeSpan.Parse(expected, System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void Retry_after_grants_no_attempt_more() =>
        Decide(RetryRules.Create(retry => { retry.Fixed(Second).Retries(0); retry.RetryAfter<TimeoutException>(_ => Second); }), exception: new TimeoutException())
            .ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Exhausted);

    [Theory]
    [InlineData(Jitter.Full)]
    [InlineData(Jitter.Equal)]
    [InlineData(Jitter.Decorrelated)]
    public void A_jittered_delay_takes_few_hops_and_never_passes_the_cap_or_the_deadline(Jitter jitter)
    {
        var cap = TimeSpan.FromSeconds(595.5);
        var rules = RetryRules.Create(retry => retry.Exponential(Second, 3, cap).UntilExpired().Jitter(jitter));
        var left = TimeSpan.FromSeconds(591.37);
        var random = new Random(20150304);
        for (var attempt = 1; attempt < 2_000; attempt++)
        {
            var free = Decide(rules, RetryState.Fresh with { Attempt = attempt }, random: random).ShouldBeOfType<RetryDecision.Again>();
            free.Delay.ShouldBeLessThanOrEqualTo(cap);
            (free.Delay.Ticks % DelayLadder.Step.Ticks).ShouldBe(0);
            (Hops(free.Delay) <= 2 || free.Delay == cap).ShouldBeTrue();

            if (Decide(rules, RetryState.Fresh with { Attempt = attempt }, deadline: Now + left, random: random) is RetryDecision.Again bounded)
            {
                bounded.Delay.ShouldBeLessThanOrEqualTo(left);
            }
        }
    }

    [Theory]
    [InlineData(9)]
    [InlineData(999)]
    [InlineData(int.MaxValue)]
    public void A_forged_attempt_grants_no_more_of_them(int attempt)
    {
        var park = Decide(RetryRules.Create(retry => retry.Fixed(Second).Retries(8)), RetryState.Fresh with { Attempt = attempt }).ShouldBeOfType<RetryDecision.Park>();

        park.Reason.ShouldBe(ParkReason.Exhausted);
        park.State.Attempt.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Another_number_of_retries_applies_from_the_next_failure()
    {
        var state = RetryState.Fresh with { Attempt = 4, FirstFailedAt = Now };

        Decide(RetryRules.Create(retry => retry.Fixed(Second).Retries(2)), state).ShouldBeOfType<RetryDecision.Park>();
        Decide(RetryRules.Create(retry => retry.Fixed(Second).Retries(5)), state).ShouldBeOfType<RetryDecision.Again>();
    }

    [Fact]
    public void A_message_that_throws_or_is_a_megabyte_long_is_decided_on_like_any_other()
    {
        var rules = RetryRules.Create(retry => retry.Fixed(Second));

        Decide(rules, exception: new Silent()).ShouldBeOfType<RetryDecision.Again>().State.Error!.ShouldContain("its Message threw");
        Decide(rules, exception: new FormatException(new string('x', 1 << 20))).ShouldBeOfType<RetryDecision.Again>().State.Error!.Length.ShouldBe(300);
    }

    [Fact]
    public void A_policy_may_differ_by_exception_and_by_message()
    {
        var rules = RetryRules.Create(retry =>
        {
            retry.Fixed(Second);
            retry.For<TimeoutException>(slow => slow.Fixed(30 * Second));
            retry.ForMessage<string>(text => text.Fixed(5 * Second));
        });

        Decide(rules, exception: new TimeoutException()).ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(30 * Second);
        Decide(rules, messageType: typeof(string)).ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(5 * Second);
    }

    [Fact]
    public void An_immediate_retry_has_no_delay() =>
        Decide(RetryRules.Create(retry => retry.Immediate(1))).ShouldBeOfType<RetryDecision.Again>().Delay.ShouldBe(TimeSpan.Zero);

    [Fact]
    public void An_id_of_any_length_is_the_same_on_every_attempt()
    {
        var again = Decide(RetryRules.Create(retry => retry.Fixed(Second)), id: new string('i', 255)).ShouldBeOfType<RetryDecision.Again>();
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.Write(headers, again.State, "orders");

        RetryHeaderReader.Read(headers).Id.ShouldBe(again.State.Id);
    }

    [Fact]
    public void A_redelivery_is_an_attempt_that_knows_its_delay()
    {
        var state = RetryState.Fresh with { Attempt = 3, Id = "chain", Error = "boom", FirstFailedAt = Now.AddHours(-1) };

        var again = Redeliver(RetryRules.Create(retry => retry.ValidFor(TimeSpan.FromDays(30))), state, TimeSpan.FromDays(20)).ShouldBeOfType<RetryDecision.Again>();

        again.Delay.ShouldBe(TimeSpan.FromDays(20));
        again.State.Attempt.ShouldBe(4);
        again.State.Id.ShouldBe("chain");
        again.State.Error.ShouldBe("boom");
        again.State.History.Latest!.ErrorType.ShouldBe("Redeliver");
        again.State.EarlyBy(Now + DelayLadder.MaxDelay).ShouldBe(TimeSpan.FromDays(20) - DelayLadder.MaxDelay); // it climbs again for the rest
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    [InlineData(3, int.MaxValue)]
    public void A_redelivery_beyond_the_retries_is_parked(int retries, int attempt)
    {
        var park = Redeliver(RetryRules.Create(retry => retry.Fixed(Second).Retries(retries)), RetryState.Fresh with { Attempt = attempt }).ShouldBeOfType<RetryDecision.Park>();

        park.Reason.ShouldBe(ParkReason.Exhausted);
        park.State.Error!.ShouldContain("asked too often");
    }

    /// <summary>Without a count, time is the only bound: it runs from the first attempt that did not end well.</summary>
    [Fact]
    public void Redeliveries_end_with_the_validity_of_the_message()
    {
        var rules = RetryRules.Create(retry => { retry.Fixed(Second).UntilExpired(); retry.ValidFor(TimeSpan.FromHours(1)); });
        var first = Redeliver(rules, RetryState.Fresh).ShouldBeOfType<RetryDecision.Again>();

        first.State.FirstFailedAt.ShouldBe(Now);
        Redeliver(rules, first.State, now: Now.AddHours(1)).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
        Redeliver(rules, RetryState.Fresh, TimeSpan.MaxValue).ShouldBeOfType<RetryDecision.Park>().Reason.ShouldBe(ParkReason.Expired);
    }

    [Fact]
    public void A_request_that_is_to_be_redelivered_when_nobody_waits_any_more_is_dropped() =>
        RetryDecider.Redeliver(
            RetryState.Fresh,
            new FailedAttempt(new InvalidOperationException("asked too often"), "host") { FallbackId = "m-1", IsRequest = true, MessageDeadline = Now + Second },
            2 * Second,
            RetryRules.Default,
            Now,
            new Random(1)).ShouldBeOfType<RetryDecision.Drop>();

    private static RetryDecision Redeliver(RetryRules rules, RetryState state, TimeSpan? delay = null, DateTimeOffset? now = null) => RetryDecider.Redeliver(
        state,
        new FailedAttempt(new InvalidOperationException("asked too often"), "host") { FallbackId = "m-1" },
        delay ?? Second,
        rules,
        now ?? Now,
        new Random(1));

    private static int Hops(TimeSpan delay) => DelayLadder.Route(delay, "x").RoutingKey.Split('.').Take(DelayLadder.LevelCount).Count(digit => digit != "0");

    private static RetryDecision Decide(
        RetryRules rules,
        RetryState? state = null,
        Exception? exception = null,
        DateTimeOffset? now = null,
        DateTimeOffset? deadline = null,
        bool isRequest = false,
        Type? messageType = null,
        Random? random = null,
        string id = "m-1") => RetryDecider.Decide(
            state ?? RetryState.Fresh,
            new FailedAttempt(exception ?? new InvalidOperationException("boom"), "host") { FallbackId = id, MessageDeadline = deadline, IsRequest = isRequest, MessageType = messageType },
            rules,
            now ?? Now,
            random ?? new Random(1));

    private sealed class Silent : Exception
    {
        public override string Message => throw new InvalidOperationException();
    }
}
