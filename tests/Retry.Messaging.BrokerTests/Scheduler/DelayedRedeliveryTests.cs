using System.Collections.Concurrent;
using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>MassTransit's own redelivery on endpoints without graded retry: each situation that its specifications for RabbitMQ have.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class DelayedRedeliveryTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("delayed")]
    [InlineData("scheduled")]
    public async Task Each_type_of_message_is_redelivered_as_often_as_its_policy_says(string how)
    {
        var runs = new Runs();
        var (uri, service) = await StartAsync(runs, e =>
        {
            if (how == "delayed")
            {
                e.UseDelayedRedelivery(redelivery => redelivery.Intervals(100, 200));
            }
            else
            {
                e.UseScheduledRedelivery(redelivery => redelivery.Intervals(100, 200));
            }

            e.Handler<Ping>(runs.Fail);
            e.Handler<Pong>(runs.Fail);
        });
        await using var ends = service;
        await using var raw = await RawClient.ConnectAsync(uri);

        await service.Bus.Publish(new Ping());
        await service.Bus.Publish(new Pong());

        await raw.WaitForCountAsync("orders_error", 2, Deadline);
        (runs.Of<Ping>(), runs.Of<Pong>()).ShouldBe((3, 3));
        await Eventually.TrueAsync(() => runs.Faults >= 2, Deadline);
    }

    [Theory]
    [InlineData(2, 6)]
    [InlineData(1, 4)]
    public async Task Immediate_retries_inside_of_it_begin_anew_with_each_redelivery(int retries, int wanted)
    {
        var runs = new Runs();
        var (uri, service) = await StartAsync(runs, e =>
        {
            e.UseDelayedRedelivery(redelivery => redelivery.Intervals(100));
            e.UseMessageRetry(retry => retry.Immediate(retries));
            e.Handler<Ping>(runs.Fail);
        });
        await using var ends = service;
        await using var raw = await RawClient.ConnectAsync(uri);

        await service.Bus.Publish(new Ping());

        await raw.WaitForCountAsync("orders_error", 1, Deadline);
        runs.Of<Ping>().ShouldBe(wanted);
    }

    [Fact]
    public async Task A_policy_without_retries_ends_at_once()
    {
        var runs = new Runs();
        var (uri, service) = await StartAsync(runs, e =>
        {
            e.UseDelayedRedelivery(redelivery => redelivery.None());
            e.Handler<Ping>(runs.Fail);
        });
        await using var ends = service;
        await using var raw = await RawClient.ConnectAsync(uri);

        await service.Bus.Publish(new Ping());

        await raw.WaitForCountAsync("orders_error", 1, Deadline);
        runs.Of<Ping>().ShouldBe(1);
    }

    [Fact]
    public async Task The_count_of_redeliveries_is_in_the_headers_and_the_message_succeeds_at_last()
    {
        var counts = new ConcurrentQueue<int>();
        var (_, service) = await StartAsync(new Runs(), e =>
        {
            e.UseDelayedRedelivery(redelivery => redelivery.Intervals(200, 300));
            e.Handler<Ping>(context =>
            {
                counts.Enqueue(context.GetRedeliveryCount());
                return counts.Count < 3 ? throw new InvalidOperationException("not yet") : Task.CompletedTask;
            });
        });
        await using var ends = service;

        await service.Bus.Publish(new Ping());

        await Eventually.TrueAsync(() => counts.Count >= 3, Deadline);
        counts.ShouldBe([0, 1, 2]);
    }

    /// <summary>What is thrown away with the attempt must not be sent, not even once.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Around_an_in_memory_outbox_nothing_that_a_failed_attempt_sent_goes_out(bool forOneType, bool publishes)
    {
        var runs = new Runs();
        var inner = new Arrived<Inner>();
        await using var service = await ScheduledService.StartAsync(await broker.CreateVirtualHostAsync(), (context, cfg) =>
        {
            cfg.ReceiveEndpoint("inner", e => e.Handler<Inner>(inner.Note));
            cfg.ReceiveEndpoint("faults", e => e.Handler<Fault<Ping>>(runs.NoteFault));
            cfg.ReceiveEndpoint("orders", e =>
            {
                if (!forOneType)
                {
                    e.UseDelayedRedelivery(redelivery => redelivery.Interval(1, TimeSpan.FromMilliseconds(100)));
                    e.UseMessageRetry(retry => retry.Interval(1, TimeSpan.FromMilliseconds(100)));
                    e.UseInMemoryOutbox(context);
                }

                e.Consumer(() => new Sender(runs, publishes), consumer => consumer.Message<Ping>(message =>
                {
                    if (forOneType)
                    {
                        message.UseDelayedRedelivery(redelivery => redelivery.Interval(1, TimeSpan.FromMilliseconds(100)));
                        message.UseMessageRetry(retry => retry.Interval(1, TimeSpan.FromMilliseconds(100)));
                        message.UseInMemoryOutbox(context);
                    }
                }));
            });
        });

        await service.Bus.Publish(new Ping());

        await Eventually.TrueAsync(() => runs.Faults >= 1 && runs.Of<Ping>() >= 4, Deadline, () => $"{runs.Of<Ping>()} runs, {runs.Faults} faults");
        await Never.TrueAsync(() => inner.Count > 0, TimeSpan.FromSeconds(1));
        runs.Of<Ping>().ShouldBe(4);
    }

    [Fact]
    public async Task The_callback_of_a_deferral_sees_the_message_that_is_sent()
    {
        var headers = new ConcurrentQueue<string?>();
        var (_, service) = await StartAsync(new Runs(), e => e.Handler<Ping>(async context =>
        {
            headers.Enqueue(context.Headers.Get<string>("deferred-by"));
            if (headers.Count == 1)
            {
                await context.Defer(TimeSpan.FromMilliseconds(200), (_, sent) => sent.Headers.Set("deferred-by", "a callback"));
            }
        }));
        await using var ends = service;

        await service.Bus.Publish(new Ping());

        await Eventually.TrueAsync(() => headers.Count >= 2, Deadline);
        headers.ShouldBe([null, "a callback"]);
    }

    private async Task<(Uri Broker, ScheduledService Service)> StartAsync(Runs runs, Action<IRabbitMqReceiveEndpointConfigurator> configure)
    {
        var uri = await broker.CreateVirtualHostAsync();
        return (uri, await ScheduledService.StartAsync(uri, (_, cfg) =>
        {
            cfg.ReceiveEndpoint("faults", e =>
            {
                e.Handler<Fault<Ping>>(runs.NoteFault);
                e.Handler<Fault<Pong>>(runs.NoteFault);
            });
            cfg.ReceiveEndpoint("orders", configure);
        }));
    }

    public sealed record Ping;

    public sealed record Pong;

    public sealed record Inner;

    private sealed class Runs
    {
        private readonly ConcurrentQueue<Type> _runs = new();
        private int _faults;

        public int Faults => Volatile.Read(ref _faults);

        public int Of<T>() => _runs.Count(type => type == typeof(T));

        public Task Fail<T>(ConsumeContext<T> context)
            where T : class
        {
            Note<T>();
            throw new InvalidOperationException("always");
        }

        public void Note<T>() => _runs.Enqueue(typeof(T));

        public Task NoteFault<T>(ConsumeContext<Fault<T>> context)
        {
            Interlocked.Increment(ref _faults);
            return Task.CompletedTask;
        }
    }

    private sealed class Sender(Runs runs, bool publishes) : IConsumer<Ping>
    {
        public async Task Consume(ConsumeContext<Ping> context)
        {
            runs.Note<Ping>();
            await (publishes ? context.Publish(new Inner()) : context.Send(new Uri("queue:inner"), new Inner()));
            throw new InvalidOperationException("something went wrong");
        }
    }
}
