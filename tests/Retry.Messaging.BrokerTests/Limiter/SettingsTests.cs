using System.Diagnostics;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>What an operator sets while everything runs.</summary>
public sealed class SettingsTests(ShortConsumerTimeout node, ITestOutputHelper output) : IClassFixture<ShortConsumerTimeout>
{
    private const string Operator = "night shift";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Effective = TimeSpan.FromSeconds(2);

    // a rate or a window to the millisecond wants a machine with nothing else to do
    [Trait("Category", "Long")]
    [Fact]
    public async Task Rate_pause_and_resume_work_within_two_seconds_and_outlive_restarts()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(3000);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        var control = new LimiterControl(point.Raw.Connection);
        point.Start(perSecond: 20, instances: 3);
        await arrivals.WaitForAsync(20, Deadline);

        await control.SetRateAsync("work", 200, null, Operator);
        (await RateAfterAsync(arrivals)).ShouldBeInRange(150, 201);

        await control.PauseAsync("work", Operator);
        await Scenario.PauseAsync(Effective);
        var paused = arrivals.Count;
        await Never.TrueAsync(() => arrivals.Count != paused, TimeSpan.FromSeconds(2), () => $"{arrivals.Count - paused} arrived while it was paused");
        // nothing is held back: all that has not arrived is in the queue, and nobody consumes it
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe((uint)(3000 - paused));

        await point.StopAsync();
        point.Start(perSecond: 20, instances: 2);
        await Never.TrueAsync(() => arrivals.Count != paused, Effective, () => $"{arrivals.Count - paused} arrived from instances that started while it was paused");
        var report = await control.ReadAsync("work");
        report.Setting.ShouldSatisfyAllConditions(s => s.Paused.ShouldBeTrue(), s => s.PerSecond.ShouldBe(200), s => s.Version.ShouldBe(2), s => s.By.ShouldBe(Operator));
        report.ShouldSatisfyAllConditions(r => r.Waiting.ShouldBe(3000 - paused), r => r.Limiters.ShouldBe(0), r => r.LastActive!.CodeLimit!.PerSecond.ShouldBe(20));

        await control.ResumeAsync("work", Operator);
        (await RateAfterAsync(arrivals)).ShouldBeInRange(150, 201);

        await control.ClearAsync("work", Operator);
        (await RateAfterAsync(arrivals)).ShouldBeInRange(15, 21);
        arrivals.All.Select(arrival => arrival.Id).Distinct().Count().ShouldBe(arrivals.Count);
    }

    [Fact]
    public async Task A_pause_longer_than_the_consumer_timeout_ends_as_it_began()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(300);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        var control = new LimiterControl(point.Raw.Connection);
        point.Start(perSecond: 50);
        await arrivals.WaitForAsync(50, Deadline);

        await control.PauseAsync("work", Operator);
        await Scenario.PauseAsync(Effective);
        var paused = arrivals.Count;
        await Never.TrueAsync(() => arrivals.Count != paused, ShortConsumerTimeout.Timeout * 2, () => $"{arrivals.Count - paused} arrived while it was paused");
        point.Limiters[0].Status.Activity.ShouldBe(LimiterActivity.Paused);
        await control.ResumeAsync("work", Operator);

        await arrivals.WaitForAsync(300, Deadline);
        arrivals.Count.ShouldBe(300);
    }

    [Fact]
    public async Task A_setting_that_cannot_be_read_is_not_the_default()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(100);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        var control = new LimiterControl(point.Raw.Connection);
        await control.PauseAsync("work", Operator);
        await point.Raw.PublishAsync(string.Empty, BrokerNames.ControlStream, "{ half a docu"u8.ToArray(), new BasicProperties { Type = "retry.limiter.setting", MessageId = "half", Headers = new Dictionary<string, object?> { ["control-key"] = "work", ["control-version"] = 2L } });
        point.Start(perSecond: 100);

        await Never.TrueAsync(() => arrivals.Count != 0, Effective, () => $"{arrivals.Count} arrived");
        point.Limiters[0].Status.Activity.ShouldBe(LimiterActivity.Down);
        point.Limiters[0].Status.Reason!.ShouldContain("setting");

        await control.ClearAsync("work", Operator);
        await arrivals.WaitForAsync(100, Deadline);
    }

    [Fact]
    public async Task A_stream_that_was_deleted_takes_no_setting_with_it()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await point.FillAsync(100);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        var control = new LimiterControl(point.Raw.Connection);
        await control.PauseAsync("work", Operator);
        point.Start(perSecond: 100, instances: 2);
        await Scenario.PauseAsync(Effective);

        await using (var channel = await point.Raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync(BrokerNames.ControlStream);
        }

        await Never.TrueAsync(() => arrivals.Count != 0, Effective * 2, () => $"{arrivals.Count} arrived");
        (await control.ReadAsync("work")).Setting.Paused.ShouldBeTrue();
    }

    [Fact]
    public async Task Of_two_operators_at_once_the_second_is_told()
    {
        await using var point = await LimitedPoint.CreateAsync(await node.Broker.CreateVirtualHostAsync());
        await using var raw = await RawClient.ConnectAsync(point.Broker);
        // makes the stream: on 3.10, a fresh node that is asked for its first stream by several at once may end their connection
        await new LimiterControl(raw.Connection).PauseAsync("work", Operator);
        var answers = await Task.WhenAll(Enumerable.Range(1, 8).Select(async i =>
        {
            try
            {
                return await new LimiterControl(raw.Connection).SetRateAsync("work", i, null, $"operator {i}");
            }
            catch (LimiterException)
            {
                return null;
            }
        }));

        var counted = answers.OfType<LimiterSetting>().OrderBy(setting => setting.Version).ToList();
        counted.Select(setting => setting.Version).ShouldBe(Enumerable.Range(1, counted.Count).Select(i => 1L + i));
        (await new LimiterControl(raw.Connection).ReadAsync("work")).Setting.ShouldBe(counted[^1]);
    }

    private async Task<double> RateAfterAsync(Arrivals arrivals)
    {
        await Scenario.PauseAsync(Effective);
        var (count, at) = (arrivals.Count, Stopwatch.GetTimestamp());
        await Scenario.PauseAsync(TimeSpan.FromSeconds(3));
        var rate = (arrivals.Count - count) / Stopwatch.GetElapsedTime(at).TotalSeconds;
        output.WriteLine($"{node.Broker.Version}: {rate:0.0}/s from two seconds after the change");
        return rate;
    }
}
