using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>What was lost goes on by itself once its queue is back.</summary>
[Collection(LotBroker.Name)]
public sealed class LostMoverTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Homeless = 100_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Goes_on_with_its_attempts_when_its_queue_is_back_and_what_has_none_or_is_too_old_stays()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var ladder = await ClimbingLadder.CreateAsync(uri);
        await using var raw = await RawClient.ConnectAsync(uri);
        using var log = new LogLines();
        var rounds = new LostRounds { First = Second, Interval = Second, Shortest = Second / 2 };
        await using var service = await StartAsync(uri, rounds, log);
        await using var second = await StartAsync(uri, rounds, log);
        await ladder.ClimbAsync("gone", TimeSpan.FromMilliseconds(100), "stays");
        for (var i = 0; i < 20; i++)
        {
            await ladder.ClimbAsync("orders", TimeSpan.FromMilliseconds(100), $"order-{i}");
        }

        await PublishAsync(raw, "orders", "too-old", new RetryState { Id = "too-old", Attempt = 2, Deadline = DateTimeOffset.UtcNow.AddHours(-1) });
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 22, Deadline);
        await raw.WaitForCountAsync(BrokerNames.MoverQueue, 0, Deadline);

        await raw.DeclareQueueAsync("orders");
        await raw.WaitForCountAsync("orders", 20, Deadline);

        await raw.WaitForCountAsync(BrokerNames.LostQueue, 2, Deadline);
        (await ListAsync(uri)).ShouldBe(["stays", "too-old"], ignoreOrder: true);
        log.Lines.ShouldBeEmpty();
        var orders = await raw.DrainAsync("orders");
        orders.Select(message => message.BasicProperties.MessageId).Distinct().Count().ShouldBe(20, "each once, by one of the two services");
        orders.ShouldAllBe(message => RetryHeaderReader.Read(message.BasicProperties.Headers!, "orders").Attempt == 2 && message.Exchange == BrokerNames.ReturnExchange);
    }

    /// <summary>Their queue is there; the rung that they still have to wait in is not.</summary>
    [Fact]
    public async Task What_a_missing_rung_holds_back_goes_on_when_the_rung_is_back()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var log = new LogLines();
        (await CommandLineRun.RunAsync(uri, null, "topology apply")).ExitCode.ShouldBe(ExitCode.Done);
        foreach (var id in (string[])["first", "second"])
        {
            await PublishAsync(raw, "orders", id, new RetryState { Id = id, Attempt = 2, DueAt = DateTimeOffset.UtcNow.AddMinutes(9) });
        }

        await raw.WaitForCountAsync(BrokerNames.LostQueue, 2, Deadline);
        await raw.DeclareQueueAsync("orders");
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.ExchangeDeleteAsync("retry.v1.m");
        }

        var rounds = new LostRounds { First = Second, Interval = Second, Shortest = Second / 2 };
        await using var service = await StartAsync(uri, rounds, log, TopologyManagement.Verify);
        (await Eventually.IsTrueAsync(() => log.Lines.Any(line => line.Contains($"could not send on what is in '{BrokerNames.LostQueue}'") && line.Contains("no exchange 'retry.v1.m'")), Deadline))
            .ShouldBeTrue(string.Join('\n', log.Lines));

        (await CommandLineRun.RunAsync(uri, null, "topology apply --point orders")).ExitCode.ShouldBe(ExitCode.Finding);

        await raw.WaitForCountAsync(BrokerNames.LostQueue, 0, Deadline);
        log.Lines.Count(line => line.Contains("could not send on")).ShouldBe(1, "what lasts is said once");
    }

    /// <summary>The messages whose queue never comes back are read again only when there is news.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public async Task A_hundred_thousand_homeless_messages_delay_nobody_by_more_than_a_minute_and_cost_next_to_nothing()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var ladder = await ClimbingLadder.CreateAsync(uri);
        await using var raw = await RawClient.ConnectAsync(uri);
        await FillAsync(uri, Homeless);
        await using var service = await StartAsync(uri, new LostRounds());
        for (var i = 0; i < 20; i++)
        {
            await ladder.ClimbAsync("orders", TimeSpan.FromMilliseconds(100), $"order-{i}");
        }

        await raw.WaitForCountAsync(BrokerNames.LostQueue, Homeless + 20, Deadline * 3);
        // the first reading is over
        await Scenario.PauseAsync(Deadline);

        var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await Scenario.PauseAsync(Deadline * 2);
        process.Refresh();
        var idle = (process.TotalProcessorTime - before) / clock.Elapsed;

        before = process.TotalProcessorTime;
        clock.Restart();
        await raw.DeclareQueueAsync("orders");
        await raw.WaitForCountAsync("orders", 20, Deadline);
        var delay = clock.Elapsed;
        await raw.WaitForCountAsync(BrokerNames.LostQueue, Homeless, Deadline);
        process.Refresh();
        output.WriteLine($"{idle:P2} of a core while nothing changes; on their way again {delay.TotalSeconds:0.0} s after their queue was back, {(process.TotalProcessorTime - before).TotalSeconds:0.0} s of processor in {clock.Elapsed.TotalSeconds:0} s");

        idle.ShouldBeLessThan(0.02);
        delay.ShouldBeLessThan(Deadline);
        (await ListAsync(uri)).Count.ShouldBe(Homeless);
    }

    private static async Task<IReadOnlyList<string>> ListAsync(Uri uri)
    {
        var list = await CommandLineRun.RunAsync(uri, null, "lost list --json");
        return [.. list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];
    }

    private static Task<RetryService> StartAsync(
        Uri uri,
        LostRounds rounds,
        LogLines? log = null,
        TopologyManagement manage = TopologyManagement.OnStart) => RetryService.StartAsync(
        uri,
        (context, cfg) => cfg.ReceiveEndpoint("other", e =>
        {
            e.SetQuorumQueue();
            e.Handler<Job>(_ => Task.CompletedTask);
        }),
        x => x.AddGradientRetry(options =>
        {
            options.LostRounds = rounds;
            options.ManageTopology = manage;
        }),
        services: services => log?.AddTo(services));

    private static Task PublishAsync(RawClient raw, string destination, string id, RetryState state)
    {
        var (exchange, routingKey, properties) = Message(destination, id, state);
        return raw.PublishAsync(exchange, routingKey, "{}"u8.ToArray(), properties);
    }

    private static (string Exchange, string RoutingKey, BasicProperties Properties) Message(string destination, string id, RetryState state)
    {
        var route = DelayLadder.Route(TimeSpan.Zero, destination);
        var properties = new BasicProperties { MessageId = id, Persistent = true, Headers = new Dictionary<string, object?>() };
        RetryHeaderWriter.Write(properties.Headers!, state, destination);
        return (route.Exchange, route.RoutingKey, properties);
    }

    private static async Task FillAsync(Uri uri, int count)
    {
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var channel = await raw.Connection.CreateChannelAsync();
        for (var i = 0; i < count; i++)
        {
            var (exchange, routingKey, properties) = Message("gone", $"gone-{i}", new RetryState { Id = $"gone-{i}", Attempt = 2 });
            await channel.BasicPublishAsync(exchange, routingKey, mandatory: false, properties, "{}"u8.ToArray());
        }

        await raw.WaitForCountAsync(BrokerNames.LostQueue, (uint)count, Deadline * 3);
    }

    public sealed record Job(int Number);
}
