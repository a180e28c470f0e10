using System.Diagnostics;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Configuration;
using Retry.Messaging.Http;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A service's own tests, without a broker: same policy, headers, counts and single Fault.</summary>
public class InMemoryRetryTests
{
    private readonly Journal _journal = new();

    [Fact]
    public async Task A_service_with_8_retries_is_tested_in_no_time()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(8));
        service.Harness.SkipRetryDelays();
        var order = new SubmitOrder(NewId.NextGuid());
        var clock = Stopwatch.StartNew();

        await service.Bus.Publish(order);

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2));
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        var fault = service.Faults.ShouldHaveSingleItem().ShouldBeAssignableTo<Fault<SubmitOrder>>();
        fault!.Message.OrderId.ShouldBe(order.OrderId);
        fault.Exceptions[0].Message.ShouldBe("failure 9");
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        parked.Queue.ShouldBe("Order");
        parked.Reason.ShouldBe(ParkReason.Exhausted);
        parked.Attempts.ShouldBe(9, "as retryctl counts them");
        parked.State.History.Attempts.Select(attempt => attempt.Number).ShouldBe(Enumerable.Range(1, 9));
        parked.Headers[RetryHeaderNames.Reason].ShouldBe("Exhausted");
        parked.Headers[MessageHeaders.FaultRedeliveryCount].ShouldBe(8);
        parked.Exception.Message.ShouldBe("failure 9");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task So_many_retries_are_one_attempt_more(int retries)
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(retries));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe(Enumerable.Range(0, retries + 1));
        service.Faults.Count.ShouldBe(1);
    }

    /// <summary>As on RabbitMQ: a consumer that decides by the number never sees one that the policy does not allow.</summary>
    [Fact]
    public async Task A_number_that_nothing_bears_out_is_shown_as_that_of_the_last_attempt()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(2));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()), context =>
        {
            context.Headers.Set(RetryHeaderNames.Origin, "Order");
            context.Headers.Set(RetryHeaderNames.Attempt, 999);
        });

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([2]);
    }

    [Fact]
    public async Task A_success_on_the_last_attempt_has_no_fault()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(3));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 3));

        await _journal.Done;
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 1, 2, 3]);
        service.Faults.ShouldBeEmpty();
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task Real_delays_are_never_cut_short()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Intervals("100ms", "300ms"));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));

        await _journal.Done;
        var times = _journal.Times;
        (times[1] - times[0]).ShouldBeInRange(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));
        (times[2] - times[1]).ShouldBeInRange(TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(10));
    }

    /// <summary>The transport's own delays are timers: one that is longer than a timer holds would end all of them.</summary>
    [Fact]
    public async Task The_longest_delay_stops_no_other()
    {
        await using var service = await StartAsync(
            _ => { },
            retry =>
            {
                retry.Fixed(TimeSpan.FromMilliseconds(100));
                retry.For<TimeoutException>(slow => slow.Fixed(DelaySchedule.LongestDelay));
                retry.ValidFor(TimeSpan.FromDays(3650));
            },
            (_, cfg) => cfg.ReceiveEndpoint("handled", e => e.Handler<SubmitOrder>(context =>
            {
                if (context.Message.FailuresFirst == 0)
                {
                    throw new TimeoutException("not within a year");
                }

                _journal.Attempt(context, context.Message);
                return Task.CompletedTask;
            })));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 0));
        (await service.Harness.Consumed.Any<SubmitOrder>()).ShouldBeTrue();
        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));

        await _journal.Done;
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task A_failure_of_the_data_is_parked_after_one_attempt()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Fail<InvalidOperationException>());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        _journal.Redeliveries.ShouldBe([0]);
        service.Harness.GetParked().ShouldHaveSingleItem().State.Reason.ShouldBe(ParkReason.Failed);
    }

    [Fact]
    public async Task An_exception_that_means_done_ends_without_a_fault()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Done<InvalidOperationException>());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Consumed.Any<SubmitOrder>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0]);
        service.Faults.ShouldBeEmpty();
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_handler_is_retried_too()
    {
        await using var service = await StartAsync(
            _ => { },
            retry => retry.Retries(2),
            (_, cfg) => cfg.ReceiveEndpoint("handled", e => e.Handler<SubmitOrder>(context =>
            {
                _journal.Attempt(context, context.Message);
                return Task.CompletedTask;
            })));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
        service.Faults.Count.ShouldBe(1);
        service.Harness.GetParked().ShouldHaveSingleItem().Queue.ShouldBe("handled");
    }

    [Fact]
    public async Task A_saga_is_retried_too()
    {
        await using var service = await StartAsync(x => x.AddSaga<OrderSaga>().InMemoryRepository(), retry => retry.Retries(2));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
        service.Faults.Count.ShouldBe(1);
        service.Harness.GetParked().ShouldHaveSingleItem().State.History.Attempts.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Immediate_retries_inside_are_not_attempts()
    {
        await using var service = await StartAsync(
            x => x.AddConsumer<OrderConsumer>(),
            retry => retry.Retries(1),
            addTo: (_, e) => e.UseMessageRetry(retry => retry.Immediate(2)));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 0, 0, 1, 1, 1]);
        service.Harness.GetParked().ShouldHaveSingleItem().State.History.Attempts.Count.ShouldBe(2);
        service.Faults.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Redeliver_goes_through_the_ladder()
    {
        var counts = new List<int>();
        await using var service = await StartAsync(
            _ => { },
            retry => retry.Retries(8),
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<SubmitOrder>(async context =>
            {
                counts.Add(context.GetRedeliveryCount());
                if (counts.Count < 3)
                {
                    await context.Redeliver(TimeSpan.FromMilliseconds(100));
                    return;
                }

                _journal.Attempt(context, context.Message);
            })));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 0));

        await _journal.Done;
        counts.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_cut_off_and_counts()
    {
        var attempts = 0;
        await using var service = await StartAsync(
            _ => { },
            retry => { retry.Retries(1); retry.AttemptTimeout(TimeSpan.FromMilliseconds(100)); },
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<SubmitOrder>(context =>
            {
                Interlocked.Increment(ref attempts);
                return Simulate.EndlessWorkAsync(context.CancellationToken);
            })));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        attempts.ShouldBe(2);
        service.Harness.GetParked().ShouldHaveSingleItem().Exception.ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task A_consumer_tells_its_attempt_and_its_deadline_and_who_is_called_hears_both()
    {
        var (told, heard) = (new List<RetryChain>(), new List<RetryChain>());
        await using var service = await StartAsync(
            _ => { },
            retry => { retry.Retries(1); retry.ValidFor(TimeSpan.FromHours(1)); },
            (_, cfg) =>
            {
                cfg.ReceiveEndpoint("orders", e => e.Handler<SubmitOrder>(async context =>
                {
                    told.Add(context.GetRetryChain());
                    await context.Publish(new Asked(), send => context.GetRetryChain().AddTo(send));
                    throw new InvalidOperationException("away");
                }));
                cfg.ReceiveEndpoint("asked", e => e.Handler<Asked>(context =>
                {
                    lock (heard)
                    {
                        heard.Add(context.GetRetryChain());
                    }

                    return Task.CompletedTask;
                }));
            });
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await Eventually.TrueAsync(() => heard.Count == 2, TimeSpan.FromSeconds(20));
        told.Select(chain => (chain.Attempt, chain.IsRetry)).ShouldBe([(1, false), (2, true)]);
        told[0].Deadline.ShouldBeNull("nothing has failed yet, and the message has no time to live");
        told[1].Left()!.Value.ShouldBeInRange(TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        heard.OrderBy(chain => chain.Attempt).ShouldBe(told);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_event_of_a_failing_consumer_is_never_published(bool outboxFirst)
    {
        await using var service = await StartAsync(
            x => x.AddConsumer<PublishingConsumer>(),
            retry => retry.Retries(1),
            addTo: (context, e) =>
            {
                if (outboxFirst)
                {
                    e.UseInMemoryOutbox(context);
                    e.UseMessageRetry(retry => retry.Immediate(1));
                }
                else
                {
                    e.UseMessageRetry(retry => retry.Immediate(1));
                    e.UseInMemoryOutbox(context);
                }
            });
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        (await AnyNowAsync<OrderSubmitted>(service)).ShouldBeFalse();
        service.Faults.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_event_of_the_attempt_that_succeeds_is_published_once(bool outboxFirst)
    {
        await using var service = await StartAsync(
            x => x.AddConsumer<PublishingConsumer>(),
            retry => retry.Retries(2),
            addTo: (context, e) =>
            {
                if (outboxFirst)
                {
                    e.UseInMemoryOutbox(context);
                }

                e.UseGradientRetry(context);
                if (!outboxFirst)
                {
                    e.UseInMemoryOutbox(context);
                }
            });
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));

        (await service.Harness.Published.Any<OrderSubmitted>()).ShouldBeTrue();
        await service.StopAsync();
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
        service.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_is_answered_by_a_retried_attempt()
    {
        await using var service = await StartAsync(
            x => x.AddRequestClient<SubmitOrder>(),
            retry => retry.Retries(2),
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<SubmitOrder>(context =>
            {
                _journal.Attempt(context, context.Message);
                return context.RespondAsync(new OrderSubmitted(context.Message.OrderId));
            })));
        service.Harness.SkipRetryDelays();
        var order = new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2);

        var answer = await service.Harness.GetRequestClient<SubmitOrder>().GetResponse<OrderSubmitted>(order);

        answer.Message.OrderId.ShouldBe(order.OrderId);
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task A_request_that_is_parked_faults_at_its_requester()
    {
        await using var service = await StartAsync(
            x => { x.AddConsumer<OrderConsumer>(); x.AddRequestClient<SubmitOrder>(); },
            retry => retry.Retries(1));
        service.Harness.SkipRetryDelays();

        await Should.ThrowAsync<RequestFaultException>(() => service.Harness.GetRequestClient<SubmitOrder>().GetResponse<OrderSubmitted>(new SubmitOrder(NewId.NextGuid())));

        service.Harness.GetParked().Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_is_dropped_faults_at_its_requester_who_still_waits()
    {
        await using var service = await StartAsync(
            x => { x.AddConsumer<OrderConsumer>(); x.AddRequestClient<SubmitOrder>(); },
            retry => retry.Fixed(TimeSpan.FromHours(1)).Retries(8));

        var fault = await Should.ThrowAsync<RequestFaultException>(() => service.Harness.GetRequestClient<SubmitOrder>().GetResponse<OrderSubmitted>(new SubmitOrder(NewId.NextGuid()), timeout: RequestTimeout.After(m: 1)));

        fault.Fault!.Exceptions.ShouldHaveSingleItem().Message.ShouldNotBeEmpty();
        _journal.Redeliveries.ShouldBe([0]);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_is_older_than_its_deadline_is_parked_as_expired()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Fixed(TimeSpan.FromHours(1)));

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()), context => context.TimeToLive = TimeSpan.FromMinutes(5));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        service.Harness.GetParked().ShouldHaveSingleItem().State.Reason.ShouldBe(ParkReason.Expired);
    }

    [Fact]
    public async Task A_disabled_endpoint_is_plain_MassTransit()
    {
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(8), addTo: (_, e) => e.DisableGradientRetry());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        _journal.Redeliveries.ShouldBe([0]);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [LinuxFact] // the kernel's list of open files is read
    public async Task No_socket_is_opened()
    {
        var before = Sockets();
        await using var service = await StartAsync(x => x.AddConsumer<OrderConsumer>(), retry => retry.Retries(1));
        service.Harness.SkipRetryDelays();
        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));
        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();

        Sockets().Except(before).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_harness_may_take_over_the_service_as_it_is_registered()
    {
        var services = new ServiceCollection();
        services.AddSingleton(_journal);
        services.AddMassTransit(x =>
        {
            x.AddConsumer<OrderConsumer>();
            x.AddGradientRetry(retry => retry.Retries(2));
            x.UsingRabbitMq((context, cfg) => cfg.ConfigureEndpoints(context));
        });
        services.AddMassTransitTestHarness();
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        var harness = provider.GetRequiredService<ITestHarness>();
        harness.TestInactivityTimeout = TimeSpan.FromSeconds(20);
        await harness.Start();
        harness.SkipRetryDelays();

        await harness.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        _journal.Redeliveries.ShouldBe([0, 1, 2]);
        harness.GetParked().Count.ShouldBe(1);
    }

    private static HashSet<string> Sockets() =>
        [.. Directory.EnumerateFileSystemEntries("/proc/self/fd").Select(fd => TryReadLink(fd) ?? "").Where(target => target.StartsWith("socket:", StringComparison.Ordinal))];

    private static string? TryReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed meanwhile
        }
    }

    private static async Task<bool> AnyNowAsync<T>(HarnessService service)
        where T : class
    {
        service.Harness.ForceInactive();
        return await service.Harness.Published.Any<T>();
    }

    private Task<HarnessService> StartAsync(
        Action<IBusRegistrationConfigurator> register,
        Action<RetryPointBuilder> retry,
        Action<IBusRegistrationContext, IInMemoryBusFactoryConfigurator>? configure = null,
        Action<IRegistrationContext, IReceiveEndpointConfigurator>? addTo = null) => HarnessService.StartAsync(
            x =>
            {
                register(x);
                x.AddGradientRetry(retry);
                x.AddConfigureEndpointsCallback((context, _, e) => addTo?.Invoke(context, e));
            },
            configure,
            services: services => services.AddSingleton(_journal));

    public sealed record Asked;
}
