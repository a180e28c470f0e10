using MassTransit;
using MassTransit.Courier.Contracts;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>An activity that says what it came to: tried again like an exception, and at the end its routing slip faults; nothing is parked.</summary>
public sealed class SaidInActivityTests
{
    private int _runs;

    [Fact]
    public async Task Fail_faults_the_routing_slip_whatever_it_returns()
    {
        await using var service = await ExecuteAsync(context => context.Fail("no such account"));

        (await service.Harness.Published.Any<RoutingSlipFaulted>(slip => slip.Context.Message.ActivityExceptions.Single().ExceptionInfo.Message == "no such account")).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(1);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task Error_is_tried_again_and_the_routing_slip_goes_on_once()
    {
        await using var service = await ExecuteAsync(context =>
        {
            if (_runs < 3)
            {
                context.Error("no answer");
            }
        });

        (await service.Harness.Published.Any<RoutingSlipCompleted>()).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(3);
        service.Harness.Published.Select<RoutingSlipActivityCompleted>().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Error_that_the_policy_does_not_try_again_faults_the_routing_slip()
    {
        await using var service = await ExecuteAsync(context => context.Error("no answer"));

        (await service.Harness.Published.Any<RoutingSlipFaulted>()).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(3);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task Postpone_comes_back_without_an_attempt()
    {
        await using var service = await ExecuteAsync(context =>
        {
            context.GetRedeliveryCount().ShouldBe(0);
            if (_runs < 2)
            {
                context.Postpone(TimeSpan.FromSeconds(1));
            }
        });

        (await service.Harness.Published.Any<RoutingSlipCompleted>()).ShouldBeTrue();
        await service.StopAsync();
        _runs.ShouldBe(2);
    }

    [Fact]
    public async Task A_compensation_is_told_that_it_is_not_retried()
    {
        await using var service = await ExecuteAsync(context => context.Fail("turn back"), first: "booked");

        var failed = await service.Harness.Published.SelectAsync<RoutingSlipCompensationFailed>().FirstOrDefault();

        failed.ShouldNotBeNull().Context.Message.ExceptionInfo.Message.ShouldStartWith("Found context.Error in the compensation of an activity");
    }

    private async Task<HarnessService> ExecuteAsync(Action<ConsumeContext> say, string? first = null)
    {
        var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddExecuteActivity<SayingActivity, NoArguments>().Endpoint(e => e.Name = "saying");
                x.AddActivity<BookedActivity, Booking, Booked>().ExecuteEndpoint(e => e.Name = "booked");
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(2));
            },
            null,
            services => services.AddSingleton<Action<ConsumeContext>>(context =>
            {
                Interlocked.Increment(ref _runs);
                say(context);
            }));
        service.Harness.SkipRetryDelays();
        var slip = new RoutingSlipBuilder(NewId.NextGuid());
        foreach (var name in first is null ? ["saying"] : (string[])[first, "saying"])
        {
            slip.AddActivity(name, new Uri($"queue:{name}"));
        }

        await service.Bus.Execute(slip.Build());
        return service;
    }

    public sealed record NoArguments;

    public sealed class SayingActivity(Action<ConsumeContext> say) : IExecuteActivity<NoArguments>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<NoArguments> context)
        {
            say(context);
            return Task.FromResult(context.Completed());
        }
    }

    public sealed record Booking;

    public sealed record Booked(string Seat);

    public sealed class BookedActivity : IActivity<Booking, Booked>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<Booking> context) => Task.FromResult(context.Completed(new Booked("12A")));

        public Task<CompensationResult> Compensate(CompensateContext<Booked> context)
        {
            context.Error("said in vain");
            return Task.FromResult(context.Compensated());
        }
    }
}
