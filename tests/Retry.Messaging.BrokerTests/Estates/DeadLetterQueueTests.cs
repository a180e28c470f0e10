using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.Cli.Hosting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Estates;

/// <summary>Dead-letter queues of a plain broker, and what else may lie in an error queue.</summary>
[Collection(LotBroker.Name)]
public sealed class DeadLetterQueueTests(BrokerFixture broker)
{
    private const string Dead = "dead";

    /// <summary>Two work queues dead-letter into one queue: what is rejected in one, and what expires in the other.</summary>
    [Fact]
    public async Task What_the_broker_parked_is_listed_grouped_and_goes_back_to_the_queue_that_it_died_in()
    {
        var (address, raw, queues) = await CreateAsync();
        await using var ends = raw;
        await queues.DeclareAsync("orders", new() { ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = Dead });
        await queues.DeclareAsync("quotes", new() { ["x-dead-letter-exchange"] = "", ["x-dead-letter-routing-key"] = Dead });
        for (var number = 0; number < 10; number++)
        {
            await queues.PublishAsync("orders", new BasicProperties { Headers = new Dictionary<string, object?> { ["n"] = number }, Priority = 3 }, Encoding.UTF8.GetBytes("an order"));
            await queues.PublishAsync("quotes", new BasicProperties { Expiration = "1", CorrelationId = $"{number}" }, Encoding.UTF8.GetBytes("a quote"));
        }

        await using (var channel = await raw.CreateChannelAsync())
        {
            while (await channel.BasicGetAsync("orders", autoAck: false) is { } order)
            {
                await channel.BasicRejectAsync(order.DeliveryTag, requeue: false);
            }
        }

        await queues.WaitForCountAsync(Dead, 20);

        var groups = await RunAsync(address, $"parked list --queue {Dead} --group-by reason --json");
        groups.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => NameAndCount(line)).ShouldBe([("Expired", 10L), ("Failed", 10L)]);
        (await RunAsync(address, $"parked list --queue {Dead} --reason Failed")).Output.ShouldContain("(by the broker: rejected)");

        var dryRun = await RunAsync(address, $"parked replay --queue {Dead} --all --dry-run");
        dryRun.Output.ShouldBe("Dry run: would replay 20 messages of 'dead': 10 Expired, 10 Failed. To 'orders' (10), 'quotes' (10).\n");
        var replay = await RunAsync(address, $"parked replay --queue {Dead} --reason Failed --yes --json");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        replay.Output.ShouldContain("""
            "byQueue":{"orders":10},"withoutDestination":{}
            """);
        await queues.WaitForCountAsync("orders", 10);
        var orders = await queues.DrainAsync("orders");
        orders.ShouldAllBe(order => order.BasicProperties.Headers!.Keys.SequenceEqual(new[] { "n" }) && order.BasicProperties.Priority == 3);
        orders.Select(order => (int)order.BasicProperties.Headers!["n"]!).Order().ShouldBe(Enumerable.Range(0, 10));
        (await queues.CountAsync(Dead)).ShouldBe(10);

        var ids = (await RunAsync(address, $"parked list --queue {Dead} --json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(IdOf).ToList();
        var discard = await RunAsync(address, $"parked discard --queue {Dead} {ids[0]} {ids[7]} --yes");
        discard.Output.ShouldBe("Discarded 2 messages of 'dead': 2 Expired.\n");
        (await RunAsync(address, $"parked list --queue {Dead} --json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(IdOf)
            .ShouldBe(ids.Except([ids[0], ids[7]]), ignoreOrder: true);
        (await RunAsync(address, $"parked show --queue {Dead} {ids[1]}")).Output.ShouldContain("a quote");
        var gone = await RunAsync(address, $"parked show --queue {Dead} {ids[0]}");
        (gone.ExitCode, gone.Error).ShouldBe((ExitCode.Failed, $"retryctl: Found no parked message of 'dead' with id {ids[0]}. Another operator may have replayed or discarded it, or may be reading it now. Run 'retryctl parked list --queue dead'.\n"));
    }

    [Fact]
    public async Task What_has_no_queue_to_go_to_stays_and_is_counted()
    {
        var (address, raw, queues) = await CreateAsync();
        await using var ends = raw;
        await queues.DeclareAsync("orders");
        foreach (var queue in (string[])["gone", "gone", "orders"])
        {
            await queues.PublishAsync(Dead, FaultOf($"rabbitmq://shop/v/{queue}"), [1]);
        }

        await queues.PublishAsync(Dead, new BasicProperties(), "{}"u8.ToArray());
        await queues.PublishAsync(Dead, FaultOf($"rabbitmq://shop/v/{Dead}"), [2]);

        var run = await RunAsync(address, $"parked replay --queue {Dead} --all --yes");

        run.ExitCode.ShouldBe(ExitCode.Failed);
        run.Output.ShouldBe("Replayed 1 message of 'dead': 1 Failed. To 'orders' (1).\n");
        run.Error.ShouldBe("retryctl: Found no queue 'gone' for 2 messages; they stay in 'dead'. Start the service that owns the queue, then run this command again. Found 2 messages without a word of where they failed (MT-Fault-InputAddress, x-death), which stay in 'dead'. See all headers with 'retryctl parked list --queue dead --json'.\n");
        await queues.WaitForCountAsync(Dead, 4);
        (await queues.CountAsync("orders")).ShouldBe(1);
    }

    [Fact]
    public async Task What_waits_for_a_service_that_has_stopped_is_not_discarded()
    {
        var (address, raw, queues) = await CreateAsync();
        await using var ends = raw;
        await queues.DeclareAsync("orders");
        await queues.PublishAsync("orders", new BasicProperties { MessageId = "alive" }, [1]);
        await queues.PublishAsync("orders", FaultOf("rabbitmq://shop/v/other"), [2]);

        var run = await RunAsync(address, "parked discard --queue orders --all --yes");

        (run.ExitCode, run.Output).ShouldBe((ExitCode.Failed, "Discarded 1 message of 'orders': 1 Failed.\n"));
        run.Error.ShouldStartWith("retryctl: Found 1 message without a word of where it failed (MT-Fault-InputAddress, x-death), which stays in 'orders'.");
        await queues.WaitForCountAsync("orders", 1);
        (await queues.DrainAsync("orders")).ShouldHaveSingleItem().BasicProperties.MessageId.ShouldBe("alive");
    }

    [Fact]
    public async Task A_queue_that_is_missing_empty_or_at_work_is_told_in_one_line()
    {
        var (address, raw, queues) = await CreateAsync();
        await using var ends = raw;

        foreach (var command in (string[])["list", "show h-00112233445566778899", "replay --all --yes", "discard --all --yes"])
        {
            var missing = await RunAsync(address, $"parked {command} --queue tpyo_error");
            (missing.ExitCode, missing.Output).ShouldBe((ExitCode.Usage, ""), command);
            missing.Error.ShouldBe("retryctl: Found no queue 'tpyo_error'. Check the name and the virtual host. MassTransit makes an error queue when the first message fails.\n");
        }

        var empty = await RunAsync(address, $"parked list --queue {Dead}");
        (empty.ExitCode, empty.Output, empty.Error).ShouldBe((ExitCode.Done, "Nothing is in 'dead'.\n", ""));
        (await RunAsync(address, $"parked replay --queue {Dead} --all --yes")).Output.ShouldBe("Replayed nothing of 'dead'.\n");

        await queues.PublishAsync(Dead, new BasicProperties(), [1]);
        await using var channel = await raw.CreateChannelAsync();
        await channel.BasicQosAsync(0, 1, global: false);
        await channel.BasicConsumeAsync(Dead, autoAck: false, new AsyncEventingBasicConsumer(channel));
        var busy = await RunAsync(address, $"parked list --queue {Dead}");
        (busy.ExitCode, busy.Output).ShouldBe((ExitCode.Failed, ""));
        busy.Error.ShouldStartWith("retryctl: Queue 'dead' has consumers (1), wanted an error queue that nobody consumes; nothing was read.");
        busy.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldHaveSingleItem();
    }

    private async Task<(Uri Address, IConnection Raw, RawQueues Queues)> CreateAsync()
    {
        var address = await broker.CreateVirtualHostAsync();
        var raw = await BrokerFixture.ConnectAsync(address);
        var queues = new RawQueues(raw);
        await queues.DeclareAsync(Dead);
        return (address, raw, queues);
    }

    private static BasicProperties FaultOf(string address) => new()
    {
        Headers = new Dictionary<string, object?> { ["MT-Reason"] = "fault", ["MT-Fault-InputAddress"] = address, ["MT-Fault-ExceptionType"] = "Shop.Declined" },
    };

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string line) => CommandLineRun.RunAsync(address, null, line);

    private static string IdOf(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("id").GetString()!;
    }

    private static (string Name, long Count) NameAndCount(string line)
    {
        using var document = JsonDocument.Parse(line);
        return (document.RootElement.GetProperty("name").GetString()!, document.RootElement.GetProperty("count").GetInt64());
    }

}
