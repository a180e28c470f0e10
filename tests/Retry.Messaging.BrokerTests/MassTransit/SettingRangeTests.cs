using System.Collections.Concurrent;
using System.Text;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.Policies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>What the validator accepts works: every setting at both ends of its range, on a running endpoint.</summary>
[Collection(SharedBroker.Name)]
public sealed class SettingRangeTests(BrokerFixture broker)
{
    private const string LongestRung = "retry.v1.9d";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Longest = DelaySchedule.LongestDelay;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    // the queue, what is set, and how often its one message runs before it is parked; 0: it waits on the longest rung
    private static readonly (string Queue, Action<RetryPointBuilder> Set, int Runs)[] Points =
    [
        ("delay-none", retry => retry.Fixed(TimeSpan.Zero).Retries(1), 2),
        ("delay-longest", retry => { retry.Fixed(Longest); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("first-none", retry => retry.Exponential(TimeSpan.Zero, 1, TimeSpan.Zero).Retries(1), 2),
        ("first-longest", retry => { retry.Exponential(Longest, double.MaxValue, Longest).Jitter(Jitter.Equal); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("factor-largest", retry => retry.Exponential(TimeSpan.FromTicks(1), double.MaxValue, Soon).Retries(2), 3),
        ("increment-none", retry => retry.Linear(TimeSpan.Zero, TimeSpan.Zero, Soon).Retries(1), 2),
        ("increment-longest", retry => retry.Linear(TimeSpan.Zero, Longest, Soon).Retries(2), 3),
        ("intervals-none", retry => retry.Intervals(TimeSpan.Zero), 2),
        ("intervals-longest", retry => { retry.Intervals(Longest); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("custom-longest", retry => { retry.Custom(_ => TimeSpan.MaxValue).Retries(1); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("retries-none", retry => retry.Retries(0), 1),
        ("retries-most", retry => { retry.Fixed(Longest).Retries(SettingRange.MostRetries); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("immediate-none", retry => retry.Immediate(0), 1),
        ("immediate-one", retry => retry.Immediate(1), 2),
        ("immediate-most", retry => { retry.Immediate(SettingRange.MostRetries); retry.Fail<InvalidOperationException>(); }, 1),
        ("until-expired", retry => { retry.Fixed(Longest).UntilExpired(); retry.ValidFor(SettingRange.LongestValidity); }, 0),
        ("decorrelated", retry => retry.Exponential(Soon, 1, Soon).Jitter(Jitter.Decorrelated).Retries(1), 2),
        ("of-an-exception", retry => { retry.Retries(0); retry.For<InvalidOperationException>(own => own.Fixed(Soon).Retries(1)); }, 2),
        ("of-a-message", retry => { retry.Retries(0); retry.ForMessage<Failing>(own => own.Fixed(Soon).Retries(1)); }, 2),
        ("valid-shortest", retry => { retry.Fixed(Soon); retry.ValidFor(TimeSpan.FromTicks(1)); }, 1),
        ("attempt-shortest", retry => { retry.Retries(0); retry.AttemptTimeout(TimeSpan.FromTicks(1)); }, 1),
        ("attempt-longest", retry => { retry.Retries(0); retry.AttemptTimeout(SettingRange.LongestAttempt); }, 1),
        ("tenant-shortest", retry => { retry.Retries(0); retry.Tenant("t"); }, 1),
        ("tenant-longest", retry => { retry.Retries(0); retry.Tenant(new string('t', SettingRange.LongestHeaderName)); }, 1),
        ("rate-lowest", retry => { retry.Retries(0); retry.LimitRedelivery(SettingRange.LowestRate, SettingRange.LargestBurst); }, 1),
        ("rate-highest", retry => { retry.Fixed(Soon).Retries(1); retry.LimitRedelivery(SettingRange.HighestRate, SettingRange.LargestBurst); }, 2),
        ("burst-smallest", retry => { retry.Fixed(Soon).Retries(1); retry.LimitRedelivery(SettingRange.HighestRate, 1); }, 2),
        (new string('q', 239), retry => retry.Fixed(Soon).Retries(1), 2),
        (new string('r', 231), retry => { retry.Fixed(Soon).Retries(1); retry.LimitRedelivery(100); }, 2),
    ];

    [Theory]
    [InlineData("00:00:01", "00:00:00")]
    [InlineData("30.00:00:00", "365.00:00:00")]
    public async Task Every_setting_works_at_both_ends_of_its_range(string consumerTimeout, string forwardLostFor)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = new ConcurrentDictionary<string, int>();
        var log = new LogLines();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) =>
            {
                foreach (var (queue, set, _) in Points)
                {
                    cfg.ReceiveEndpoint(queue, e =>
                    {
                        e.UseGradientRetry(context, set);
                        e.Handler<Failing>(_ =>
                        {
                            runs.AddOrUpdate(queue, 1, static (_, count) => count + 1);
                            throw new InvalidOperationException("always");
                        });
                    });
                }
            },
            x => x.AddGradientRetry(),
            services: services =>
            {
                log.AddTo(services);
                services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
                {
                    ["GradientRetry:ConsumerTimeout"] = consumerTimeout,
                    ["GradientRetry:ForwardLostFor"] = forwardLostFor,
                }).Build());
            });
        var body = Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<Failing>()}}"],"message":{"number":1} }""");
        foreach (var (queue, _, _) in Points)
        {
            await raw.PublishAsync(string.Empty, queue, body, new BasicProperties { ContentType = "application/vnd.masstransit+json" });
        }

        foreach (var (queue, _, attempts) in Points.Where(point => point.Runs > 0))
        {
            await raw.WaitForCountAsync(BrokerNames.ParkedQueue(queue), 1, Deadline);
            runs[queue].ShouldBe(attempts, queue);
        }

        var waiting = Points.Where(point => point.Runs == 0).Select(point => point.Queue).ToList();
        await raw.WaitForCountAsync(LongestRung, (uint)waiting.Count, Deadline);
        waiting.ShouldAllBe(queue => runs[queue] == 1);
        await raw.WaitForConsumersAsync(BrokerNames.ReleaseQueue("rate-lowest"), 1, Deadline);
        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        log.Lines.ShouldNotContain(line => line.Contains("held", StringComparison.Ordinal));
    }

    public sealed record Failing(int Number);
}
