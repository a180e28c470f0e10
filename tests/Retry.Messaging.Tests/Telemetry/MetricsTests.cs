using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Tests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>What a service measures, on MassTransit's in-memory transport.</summary>
public sealed class MetricsTests
{
    private const string Point = "Order";

    private readonly Journal _journal = new();

    [Fact]
    public async Task A_message_that_is_done_on_its_third_attempt_is_three_attempts_and_two_retries()
    {
        await using var service = await StartAsync(retry => retry.Intervals("100ms", "200ms"));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));

        await _journal.Done;
        await service.StopAsync();
        var attempts = service.Metrics.Of("retry.attempts");
        attempts.Select(one => one.Labels["outcome"]).ShouldBe(["retried", "retried", "done"]);
        attempts.ShouldAllBe(one => one.Unit == "{attempt}" && one.Value == 1);
        service.Metrics.Of("retry.retries").Select(one => one.Labels["error.type"]).ShouldBe([typeof(InvalidOperationException).FullName, typeof(InvalidOperationException).FullName]);
        service.Metrics.Of("retry.delay").Select(one => one.Value).ShouldBe([0.1, 0.2]);
        var lateness = service.Metrics.Of("retry.lateness");
        lateness.Count.ShouldBe(2);
        lateness.ShouldAllBe(one => one.Value >= 0 && one.Value < 10 && one.Unit == "s");
        service.Metrics.Of("retry.parked").ShouldBeEmpty();
        service.Metrics.All.ShouldAllBe(one => one.Labels["cluster"] == "in-memory" && one.Labels["vhost"] == "/" && one.Labels["point"] == Point);
    }

    [Fact]
    public async Task A_message_that_is_parked_says_why()
    {
        await using var service = await StartAsync(retry => retry.Retries(1));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        service.Metrics.Of("retry.attempts").Select(one => one.Labels["outcome"]).ShouldBe(["retried", "parked"]);
        var parked = service.Metrics.Of("retry.parked").ShouldHaveSingleItem();
        parked.Labels["reason"].ShouldBe("Exhausted");
        parked.Labels["error.type"].ShouldBe(typeof(InvalidOperationException).FullName);
    }

    [Fact]
    public async Task An_attempt_that_its_consumer_ends_by_asking_for_another_counts_once()
    {
        await using var service = await MeasuredService.StartAsync(
            x =>
            {
                x.AddHandler(async (ConsumeContext<SubmitOrder> context) =>
                {
                    if (context.GetRedeliveryCount() == 0)
                    {
                        await context.Redeliver(TimeSpan.FromMilliseconds(100));
                    }
                    else
                    {
                        _journal.Attempt(context, context.Message);
                    }
                }).Endpoint(endpoint => endpoint.Name = Point);
                x.AddGradientRetry();
            },
            services => services.AddSingleton(_journal));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 0));

        await _journal.Done;
        await service.StopAsync();
        service.Metrics.Of("retry.attempts").Select(one => one.Labels["outcome"]).ShouldBe(["retried", "done"]);
        service.Metrics.Of("retry.retries").ShouldHaveSingleItem().Labels.Keys.ShouldNotContain("error.type");
    }

    [Fact]
    public async Task A_dropped_request_is_counted()
    {
        await using var service = await StartAsync(retry => retry.Fixed(TimeSpan.FromMinutes(5)).Retries(8));
        var client = service.Harness.GetRequestClient<SubmitOrder>();

        await client.GetResponse<OrderSubmitted>(new SubmitOrder(NewId.NextGuid()), timeout: RequestTimeout.After(m: 1)).ShouldThrowAsync<RequestFaultException>();

        await service.StopAsync();
        service.Metrics.Of("retry.attempts").ShouldHaveSingleItem().Labels["outcome"].ShouldBe("dropped");
        service.Metrics.Of("retry.dropped").ShouldHaveSingleItem().Unit.ShouldBe("{request}");
    }

    [Fact]
    public async Task A_rest_of_milliseconds_is_waited_for_and_is_no_climb()
    {
        await using var service = await MeasuredService.StartAsync(
            x =>
            {
                x.AddConsumer<OrderConsumer>();
                x.AddGradientRetry(retry => retry.Intervals("500ms"));
            },
            services => services.AddSingleton(_journal).AddSingleton<TimeProvider>(new SlowClock()));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 1));

        await _journal.Done;
        await service.StopAsync();
        service.Metrics.Of("retry.early").ShouldBeEmpty();
        service.Metrics.Of("retry.attempts").Select(one => one.Labels["outcome"]).ShouldBe(["retried", "done"]);
    }

    [Fact]
    public async Task A_host_without_metrics_runs_all_the_same()
    {
        await using var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddConsumer<OrderConsumer>();
                x.AddGradientRetry(retry => retry.Immediate(1));
            },
            null,
            services => services.AddSingleton(_journal));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 1));

        await _journal.Done;
    }

    private Task<MeasuredService> StartAsync(Action<Retry.Messaging.MassTransit.GradientRetryOptions> policy) => MeasuredService.StartAsync(
        x =>
        {
            x.AddConsumer<OrderConsumer>();
            x.AddGradientRetry(policy);
        },
        services => services.AddSingleton(_journal));

    /// <summary>Runs at nine tenths of the speed that timers have: everything comes early, and every wait ends early.</summary>
    private sealed class SlowClock : TimeProvider
    {
        private readonly DateTimeOffset _start = System.GetUtcNow();
        private readonly long _started = System.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => _start + (System.GetElapsedTime(_started) * 0.9);
    }
}
