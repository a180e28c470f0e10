using MassTransit;
using MassTransit.Testing;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.InMemory;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary><c>context.Fail</c>, <c>context.Error</c> and <c>context.Postpone</c>: outcomes of an attempt that are said, not thrown.</summary>
public sealed class SaidOutcomeTests
{
    private readonly SayingService _says = new();

    public static TheoryData<string> Consumers => [.. SayingService.Kinds];

    [Theory]
    [MemberData(nameof(Consumers))]
    public async Task Fail_parks_at_once_with_the_reason(string kind)
    {
        await using var service = await _says.StartAsync(kind, context => context.Fail("the card was declined"));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        var parked = await ParkedAsync(service);
        parked.Reason.ShouldBe(ParkReason.Failed);
        parked.State.Error.ShouldBe("Retry.Messaging.MassTransit.FailSaidException: the card was declined");
        parked.State.History.Attempts.ShouldHaveSingleItem().Message.ShouldBe("the card was declined");
        service.Faults.ShouldHaveSingleItem().ShouldBeAssignableTo<Fault>()!.Exceptions.ShouldHaveSingleItem().Message.ShouldBe("the card was declined");
        _says.Runs.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Consumers))]
    public async Task Error_is_tried_again_by_the_policy_and_each_reason_is_in_the_history(string kind)
    {
        await using var service = await _says.StartAsync(kind, context => context.Error($"no answer {context.GetRedeliveryCount()}", TimeSpan.FromSeconds(3)));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        var parked = await ParkedAsync(service);
        parked.Reason.ShouldBe(ParkReason.Exhausted);
        parked.State.History.Attempts.Select(attempt => attempt.Message).ShouldBe(["no answer 0", "no answer 1", "no answer 2"]);
        _says.Runs.ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(Consumers))]
    public async Task Postpone_comes_back_and_uses_no_attempt(string kind)
    {
        await using var service = await _says.StartAsync(kind, context =>
        {
            context.GetRedeliveryCount().ShouldBe(0);
            if (_says.Runs < 3)
            {
                context.Postpone(TimeSpan.FromHours(1));
            }
        });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await _says.RanAsync(3);
        await service.StopAsync();
        service.Harness.GetParked().ShouldBeEmpty();
        service.Faults.ShouldBeEmpty();
        _says.Times[2].ShouldBeGreaterThanOrEqualTo(_says.Times[0] + 2 * OutcomeExtensions.ShortestPostponement);
    }

    [Fact]
    public async Task Postponing_by_nothing_is_postponing_by_a_second_and_cannot_spin()
    {
        await using var service = await _says.StartAsync("handler", context => context.Postpone(TimeSpan.Zero), skipDelays: false);

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await _says.RanAsync(2);
        _says.Times[1].ShouldBeGreaterThanOrEqualTo(_says.Times[0] + OutcomeExtensions.ShortestPostponement);
    }

    [Fact]
    public async Task What_is_postponed_beyond_its_validity_is_parked_as_expired_and_says_who_postponed_it()
    {
        await using var service = await _says.StartAsync("handler", context => context.Postpone(TimeSpan.FromDays(8)));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        var parked = await ParkedAsync(service);
        parked.Reason.ShouldBe(ParkReason.Expired);
        parked.Exception.ShouldBeOfType<PostponementRefusedException>().Message.ShouldStartWith("The consumer of queue 'orders' postponed the message by 8d, but its time is over by then.");
    }

    [Fact]
    public async Task An_exception_stands_over_what_was_said_before_it()
    {
        await using var service = await _says.StartAsync("handler", context =>
        {
            context.Fail("said");
            throw new InvalidOperationException("thrown");
        });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        var parked = await ParkedAsync(service);
        parked.Reason.ShouldBe(ParkReason.Exhausted);
        parked.Exception.Message.ShouldBe("thrown");
        _says.Runs.ShouldBe(3);
    }

    [Fact]
    public async Task The_last_one_said_counts()
    {
        await using var service = await _says.StartAsync("handler", context =>
        {
            context.Postpone(TimeSpan.FromSeconds(1));
            context.Error("first");
            context.Fail("last");
        });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await ParkedAsync(service)).Exception.Message.ShouldBe("last");
        _says.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task Of_a_batch_one_message_may_fail_alone()
    {
        await using var service = await _says.StartAsync("batch", context =>
        {
            var batch = (ConsumeContext<Batch<SubmitOrder>>)context;
            batch.Message.Length.ShouldBe(SayingService.BatchSize);
            batch.Message[1].Fail("this one");
        });

        await service.Bus.PublishBatch(Enumerable.Range(0, SayingService.BatchSize).Select(_ => new SubmitOrder(NewId.NextGuid())));

        (await ParkedAsync(service)).Exception.Message.ShouldBe("this one");
        _says.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task Said_of_a_batch_it_is_the_outcome_of_each_message()
    {
        await using var service = await _says.StartAsync("batch", context => context.Fail("all"));

        await service.Bus.PublishBatch(Enumerable.Range(0, SayingService.BatchSize).Select(_ => new SubmitOrder(NewId.NextGuid())));

        await SayingService.FaultsAsync(service, SayingService.BatchSize);
        service.Harness.GetParked().Select(parked => parked.Exception.Message).ShouldBe(Enumerable.Repeat("all", SayingService.BatchSize));
        _says.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task After_the_attempt_has_ended_it_is_refused()
    {
        ConsumeContext? ended = null;
        await using var service = await _says.StartAsync("handler", context => ended = context);
        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));
        await _says.RanAsync(1);
        await service.StopAsync();

        Should.Throw<InvalidOperationException>(() => ended!.Fail("late")).Message.ShouldStartWith("Found a call of Fail after the attempt had ended");
    }

    [Fact]
    public async Task On_an_endpoint_without_graded_retry_it_says_what_to_do()
    {
        Exception? refused = null;
        await using var service = await _says.StartAsync(
            "handler",
            context => refused = Should.Throw<InvalidOperationException>(() => context.Postpone(TimeSpan.FromSeconds(1))),
            endpoint: e => e.DisableGradientRetry());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await _says.RanAsync(1);
        await service.StopAsync();
        refused.ShouldNotBeNull().Message.ShouldStartWith("Found context.Postpone on an endpoint without graded retry, wanted a retry point");
    }

    [Fact]
    public async Task A_reason_is_wanted()
    {
        await using var service = await _says.StartAsync("handler", context =>
        {
            Should.Throw<ArgumentException>(() => context.Fail(" "));
            Should.Throw<ArgumentException>(() => context.Error(string.Empty));
        });

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        await _says.RanAsync(1);
        await service.StopAsync();
        service.Faults.ShouldBeEmpty();
    }

    private static async Task<InMemoryParkedMessage> ParkedAsync(HarnessService service)
    {
        await SayingService.FaultsAsync(service, 1);
        await service.StopAsync();
        return service.Harness.GetParked().ShouldHaveSingleItem();
    }
}
