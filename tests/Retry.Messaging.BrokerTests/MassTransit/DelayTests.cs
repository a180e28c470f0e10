using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(WaitingBroker.Name)]
public sealed class DelayTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan HowLateAtMost = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Stamped when the consumer fails, from when a delay counts; when the broker has confirmed the republished message; and
    /// when the consumer is entered again.
    /// </summary>
    [Fact]
    public async Task Is_never_early_from_a_tenth_of_a_second_to_a_minute()
    {
        TimeSpan[] delays = [TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(59.9)];
        const int each = 25;
        var uri = await broker.CreateVirtualHostAsync();
        var failed = new ConcurrentDictionary<Guid, long>();
        var confirmed = new Confirmed();
        var entered = new ConcurrentDictionary<Guid, (TimeSpan Delay, long At)>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await RetryService.StartAsync(uri, (context, cfg) =>
        {
            foreach (var delay in delays)
            {
                cfg.ReceiveEndpoint(Queue(delay), e =>
                {
                    e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(1));
                    e.Handler<Timed>(timed =>
                    {
                        var now = Stopwatch.GetTimestamp();
                        if (timed.GetRedeliveryCount() == 0)
                        {
                            failed[timed.MessageId!.Value] = Stopwatch.GetTimestamp();
                            throw new InvalidOperationException("once");
                        }

                        entered[timed.MessageId!.Value] = (delay, now);
                        if (entered.Count == delays.Length * each)
                        {
                            all.TrySetResult();
                        }

                        return Task.CompletedTask;
                    });
                });
            }
        });
        service.Bus.ConnectReceiveObserver(confirmed);

        foreach (var delay in delays)
        {
            var endpoint = await service.Bus.GetSendEndpoint(new Uri($"queue:{Queue(delay)}"));
            for (var i = 0; i < each; i++)
            {
                await endpoint.Send(new Timed($"{i}"));
            }
        }

        await all.Task.WaitAsync(TimeSpan.FromSeconds(59.9) + HowLateAtMost + HowLateAtMost);
        foreach (var delay in delays)
        {
            var fromFailure = Report("failure", failed);
            Report("confirm", confirmed.At);
            fromFailure[0].ShouldBeGreaterThanOrEqualTo(0);
            fromFailure[^1].ShouldBeLessThan(HowLateAtMost.TotalMilliseconds);

            double[] Report(string since, IReadOnlyDictionary<Guid, long> stamps)
            {
                double[] late = [.. entered.Where(entry => entry.Value.Delay == delay)
                    .Select(entry => (Stopwatch.GetElapsedTime(stamps[entry.Key], entry.Value.At) - delay).TotalMilliseconds).Order()];
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{delay} since {since}: late by {late[0]:0.0} ms at least, {late[each / 2]:0.0} ms median, {late[^1]:0.0} ms at most"));
                return late;
            }
        }
    }

    /// <summary>
    /// Two consumers of one queue, one whose clock is an hour ahead and one whose clock is an hour behind. Neither can tell whether the
    /// other's message is early, so the broker's clock alone counts the delay; and Erlang lets its clock run up to one per cent faster
    /// than it should while it catches up with the system's.
    /// </summary>
    [Fact]
    public async Task A_clock_that_is_an_hour_off_changes_nothing()
    {
        const int messages = 100;
        var delay = TimeSpan.FromMilliseconds(300);
        var byAFastClock = delay * 0.99;
        var uri = await broker.CreateVirtualHostAsync();
        var runs = new ConcurrentDictionary<string, ConcurrentQueue<(int Attempt, long At)>>();
        var done = new CountdownEvent(messages);
        await using var ahead = await StartAsync(TimeSpan.FromHours(1));
        await using var behind = await StartAsync(TimeSpan.FromHours(-1));

        var endpoint = await ahead.Bus.GetSendEndpoint(new Uri("queue:clocks"));
        for (var i = 0; i < messages; i++)
        {
            await endpoint.Send(new Timed($"m{i}"));
        }

        (await Task.Run(() => done.Wait(TimeSpan.FromSeconds(30)))).ShouldBeTrue();
        runs.Count.ShouldBe(messages);
        foreach (var run in runs.Values)
        {
            var attempts = run.ToArray();
            attempts.Select(attempt => attempt.Attempt).ShouldBe([1, 2, 3]);
            Stopwatch.GetElapsedTime(attempts[0].At, attempts[1].At).ShouldBeGreaterThanOrEqualTo(byAFastClock);
            Stopwatch.GetElapsedTime(attempts[1].At, attempts[2].At).ShouldBeGreaterThanOrEqualTo(byAFastClock);
        }

        await using var raw = await RawClient.ConnectAsync(uri);
        (await raw.CountAsync("clocks.parked")).ShouldBe(0u);

        Task<RetryService> StartAsync(TimeSpan off) => RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("clocks", e =>
            {
                e.PrefetchCount = 4;
                e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(3));
                e.Handler<Timed>(timed =>
                {
                    var attempt = timed.GetRedeliveryCount() + 1;
                    runs.GetOrAdd(timed.Message.Id, _ => new()).Enqueue((attempt, Stopwatch.GetTimestamp()));
                    if (attempt < 3)
                    {
                        throw new InvalidOperationException("not yet");
                    }

                    done.Signal();
                    return Task.CompletedTask;
                });
            }),
            services: services => services.AddSingleton<TimeProvider>(new ShiftedClock(off)));
    }

    /// <summary>The clock is put back once the retry has been written: behind by less than the delay, so that the message looks early.</summary>
    [Fact]
    public async Task A_clock_that_falls_behind_during_the_delay_holds_nothing_back()
    {
        var delay = TimeSpan.FromSeconds(6);
        var behind = TimeSpan.FromSeconds(5);
        var uri = await broker.CreateVirtualHostAsync();
        var clock = new ShiftedClock(TimeSpan.Zero);
        var failed = 0L;
        var entered = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var confirmed = new Confirmed(() => clock.Off = -behind);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("late-clock", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(1));
                e.Handler<Timed>(timed =>
                {
                    var now = Stopwatch.GetTimestamp();
                    if (timed.GetRedeliveryCount() > 0)
                    {
                        entered.TrySetResult(now);
                        return Task.CompletedTask;
                    }

                    failed = now;
                    throw new InvalidOperationException("once");
                });
            }),
            services: services => services.AddSingleton<TimeProvider>(clock));
        service.Bus.ConnectReceiveObserver(confirmed);

        await (await service.Bus.GetSendEndpoint(new Uri("queue:late-clock"))).Send(new Timed("m"));

        var at = await entered.Task.WaitAsync(delay + behind + HowLateAtMost);
        var late = Stopwatch.GetElapsedTime(failed, at) - delay;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"late by {late.TotalMilliseconds:0} ms"));
        late.ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
        // in whole seconds, so up to one; what a reader that believed its own clock would wait is five
        late.ShouldBeLessThan(TimeSpan.FromSeconds(4));
    }

    /// <summary>On 3.10 a message that names the rungs of its last climb (x-death) is taken for one that goes round in circles: it does not pass two of them again.</summary>
    [Fact]
    public async Task The_same_two_rungs_are_climbed_again_and_again()
    {
        const int retries = 3;
        var delay = TimeSpan.FromSeconds(1.1);
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = new ConcurrentQueue<long>();
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("two-hops", e =>
        {
            e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(retries));
            e.Handler<Timed>(_ =>
            {
                runs.Enqueue(Stopwatch.GetTimestamp());
                throw new InvalidOperationException("never");
            });
        }));

        await (await service.Bus.GetSendEndpoint(new Uri("queue:two-hops"))).Send(new Timed("m"));

        await raw.WaitForCountAsync("two-hops.parked", 1, (delay * retries) + HowLateAtMost);
        runs.Count.ShouldBe(retries + 1);
        runs.Zip(runs.Skip(1)).ShouldAllBe(pair => Stopwatch.GetElapsedTime(pair.First, pair.Second) >= delay);
    }

    /// <summary>A policy on the rungs lets their messages go too soon: what comes early climbs again, and no attempt is used.</summary>
    [Fact]
    public async Task What_a_policy_lets_go_early_runs_no_sooner()
    {
        const int messages = 10;
        // so long that a broker under load still lets them go more than a second too early: a shorter rest is waited for in place
        var delay = TimeSpan.FromSeconds(6);
        var uri = await broker.CreateVirtualHostAsync();
        using var management = new RawManagement(broker.Broker, uri);
        await management.SetPolicyAsync("ttl", ".*", new Dictionary<string, object> { ["message-ttl"] = 1000 });
        var log = new LogLines();
        var runs = new ConcurrentDictionary<string, ConcurrentQueue<(int Attempt, long At)>>();
        var done = new CountdownEvent(messages);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("cut-short", e =>
            {
                e.PrefetchCount = messages;
                e.UseGradientRetry(context, retry => retry.Fixed(delay).Retries(1));
                e.Handler<Timed>(timed =>
                {
                    var attempt = timed.GetRedeliveryCount() + 1;
                    runs.GetOrAdd(timed.Message.Id, _ => new()).Enqueue((attempt, Stopwatch.GetTimestamp()));
                    if (attempt == 1)
                    {
                        throw new InvalidOperationException("once");
                    }

                    done.Signal();
                    return Task.CompletedTask;
                });
            }),
            services: log.AddTo);
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:cut-short"));
        for (var i = 0; i < messages; i++)
        {
            await endpoint.Send(new Timed($"m{i}"));
        }

        (await Task.Run(() => done.Wait(delay + HowLateAtMost + HowLateAtMost))).ShouldBeTrue();
        foreach (var run in runs.Values)
        {
            run.Select(attempt => attempt.Attempt).ShouldBe([1, 2]);
            Stopwatch.GetElapsedTime(run.First().At, run.Last().At).ShouldBeGreaterThanOrEqualTo(delay);
        }

        log.Lines.ShouldHaveSingleItem().ShouldContain("'retryctl topology verify'");
    }

    private static string Queue(TimeSpan delay) => "delay-" + delay.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    public sealed record Timed(string Id);

    /// <summary>When the first delivery of each message was finished: its outcome confirmed, the delivery just acknowledged.</summary>
    private sealed class Confirmed(Action? then = null) : IReceiveObserver
    {
        public ConcurrentDictionary<Guid, long> At { get; } = new();

        public Task PostReceive(ReceiveContext context)
        {
            At.TryAdd(context.GetMessageId()!.Value, Stopwatch.GetTimestamp());
            then?.Invoke();
            return Task.CompletedTask;
        }

        public Task PreReceive(ReceiveContext context) => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
            where T : class => Task.CompletedTask;

        public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
            where T : class => Task.CompletedTask;

        public Task ReceiveFault(ReceiveContext context, Exception exception) => Task.CompletedTask;
    }

    private sealed class ShiftedClock(TimeSpan off) : TimeProvider
    {
        public TimeSpan Off { get; set; } = off;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Off;
    }
}
