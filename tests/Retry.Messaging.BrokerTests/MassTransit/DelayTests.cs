using System.Collections.Concurrent;
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

    /// <summary>Stamped when the consumer fails, which is before the publish to the ladder, and when it is entered again.</summary>
    [Fact]
    public async Task Is_never_early_from_a_tenth_of_a_second_to_a_minute()
    {
        TimeSpan[] delays = [TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(59.9)];
        const int each = 25;
        var uri = await broker.CreateVirtualHostAsync();
        var failed = new ConcurrentDictionary<string, DateTimeOffset>();
        var late = new ConcurrentDictionary<string, TimeSpan>();
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
                        var id = timed.Message.Id;
                        var now = TimeProvider.System.GetUtcNow();
                        if (timed.GetRedeliveryCount() == 0)
                        {
                            failed[id] = TimeProvider.System.GetUtcNow();
                            throw new InvalidOperationException("once");
                        }

                        late[id] = now - failed[id] - delay;
                        if (late.Count == delays.Length * each)
                        {
                            all.TrySetResult();
                        }

                        return Task.CompletedTask;
                    });
                });
            }
        });

        foreach (var delay in delays)
        {
            var endpoint = await service.Bus.GetSendEndpoint(new Uri($"queue:{Queue(delay)}"));
            for (var i = 0; i < each; i++)
            {
                await endpoint.Send(new Timed($"{Queue(delay)} {i}"));
            }
        }

        await all.Task.WaitAsync(TimeSpan.FromSeconds(59.9) + HowLateAtMost + HowLateAtMost);
        foreach (var delay in delays)
        {
            var lateness = late.Where(entry => entry.Key.StartsWith(Queue(delay) + " ", StringComparison.Ordinal)).Select(entry => entry.Value.TotalMilliseconds).Order().ToArray();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{delay}: late by {lateness[0]:0.0} ms at least, {lateness[each / 2]:0.0} ms median, {lateness[^1]:0.0} ms at most"));
            lateness[0].ShouldBeGreaterThanOrEqualTo(0);
            lateness[^1].ShouldBeLessThan(HowLateAtMost.TotalMilliseconds);
        }
    }

    /// <summary>Two consumers of one queue, one whose clock is an hour ahead and one whose clock is an hour behind.</summary>
    [Fact]
    public async Task A_clock_that_is_an_hour_off_changes_nothing()
    {
        const int messages = 100;
        var delay = TimeSpan.FromMilliseconds(300);
        var uri = await broker.CreateVirtualHostAsync();
        var runs = new ConcurrentDictionary<string, ConcurrentQueue<(int Attempt, DateTimeOffset At)>>();
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
            (attempts[1].At - attempts[0].At).ShouldBeGreaterThanOrEqualTo(delay);
            (attempts[2].At - attempts[1].At).ShouldBeGreaterThanOrEqualTo(delay);
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
                    runs.GetOrAdd(timed.Message.Id, _ => new()).Enqueue((attempt, TimeProvider.System.GetUtcNow()));
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

    private static string Queue(TimeSpan delay) => "delay-" + delay.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    public sealed record Timed(string Id);

    private sealed class ShiftedClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}
