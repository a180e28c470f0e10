using System.Text.Json;
using System.Text.RegularExpressions;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Estates;

/// <summary>MassTransit's own error queues, with none of this library deployed.</summary>
[Collection(LotBroker.Name)]
public sealed class StockServiceTests(BrokerFixture broker)
{
    [Fact]
    public async Task Five_hundred_failed_messages_are_grouped_and_one_group_goes_back_as_it_was_sent()
    {
        await using var service = await StockService.CreateAsync(broker, failed: 500, skipped: 20);
        using var management = new RawManagement(broker.Broker, service.Address);
        var topology = await management.GetAsync("queues/VHOST?columns=name") + await management.GetAsync("exchanges/VHOST?columns=name");
        var before = await service.Queues.ReadAsync(StockService.Errors);

        (await GroupsAsync(service, "--group-by exception")).ShouldBe([("System.InvalidOperationException", 400L), ("System.TimeoutException", 100L)]);
        (await GroupsAsync(service, "--group-by reason")).ShouldBe([("Failed", 500L)]);
        (await GroupsAsync(service, "--group-by type")).ShouldHaveSingleItem().Name.ShouldEndWith("Charge");
        (await GroupsAsync(service, "--group-by header:tenant --exception timeout")).ShouldBe([("acme", 50L), ("umbrella", 50L)]);
        var fingerprints = await GroupsAsync(service, "--group-by fingerprint");
        fingerprints.Select(group => group.Count).ShouldBe([400L, 100L]);
        fingerprints[1].Name.ShouldBe("System.TimeoutException: No answer from * in * s at Shop.Gateway.ChargeAsync");

        var replay = await RunAsync(service, $"parked replay --queue {StockService.Errors} --exception Timeout --yes");
        replay.ExitCode.ShouldBe(ExitCode.Done, replay.Error);
        replay.Output.ShouldBe("Replayed 100 messages of 'payments_error': 100 Failed. To 'payments' (100).\n");

        await service.Queues.WaitForCountAsync(StockService.Work, 100);
        var arrived = await service.Queues.DrainAsync(StockService.Work);
        arrived.SelectMany(message => message.BasicProperties.Headers!.Keys).ShouldAllBe(name => !IsOfTheFault(name));
        arrived.Select(message => RawQueues.Said(message)).ShouldBe(
            before.Where(IsTimeout).Select(message => RawQueues.Said(message, IsOfTheFault)),
            ignoreOrder: true);
        (await service.Queues.ReadAsync(StockService.Errors)).Select(message => RawQueues.Said(message)).ShouldBe(
            before.Where(message => !IsTimeout(message)).Select(message => RawQueues.Said(message)),
            ignoreOrder: true);
        (await service.Queues.CountAsync(StockService.Skipped)).ShouldBe(20);
        (await management.GetAsync("queues/VHOST?columns=name") + await management.GetAsync("exchanges/VHOST?columns=name")).ShouldBe(topology);
    }

    [Fact]
    public async Task On_a_terminal_of_80_columns_a_row_has_id_age_attempts_type_and_error()
    {
        await using var service = await StockService.CreateAsync(broker, failed: 4, skipped: 2);
        var lines = await LinesAsync(service, $"parked list --queue {StockService.Errors}");

        lines.ShouldAllBe(line => line.Length <= 80);
        lines[0].ShouldMatch("^ID +AGE +ATTEMPTS +TYPE +ERROR$");
        lines.Where(line => line.StartsWith("h-", StringComparison.Ordinal)).Count().ShouldBe(4);
        lines.ShouldContain(line => Regex.IsMatch(line, @"^h-[0-9a-f]{20}  \d+s +2 +Charge +TimeoutException: No answer"));
        lines[^1].ShouldMatch(@"^4 messages: 4 Failed\. Oldest \d+s, newest \d+s\.$");
        (await LinesAsync(service, $"parked list --queue {StockService.Skipped}"))[^1].ShouldBe("2 messages: 2 Unhandled.");

        // what was skipped goes back, too: a consumer for it may be there by now
        var replay = await RunAsync(service, $"parked replay --queue {StockService.Skipped} --all --yes");
        replay.Output.ShouldBe("Replayed 2 messages of 'payments_skipped': 2 Unhandled. To 'payments' (2).\n");
        (await service.Queues.DrainAsync(StockService.Work)).ShouldAllBe(message => message.BasicProperties.Headers!.Keys.Order().SequenceEqual(new[] { "nested", "number", "tenant" }));
        (await service.Queues.CountAsync(StockService.Errors)).ShouldBe(4);
    }

    /// <summary>A channel that closes with deliveries counts towards the delivery limit on every version.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Readers_that_are_cut_off_between_lists_lose_nothing(bool withManagement)
    {
        await using var service = await StockService.CreateAsync(broker, failed: 60, skipped: 1, quorum: true, deliveryLimit: 3);
        var management = withManagement ? broker.Broker.ManagementUri : null;
        var first = await CommandLineRun.RunAsync(service.Address, management, $"parked list --queue {StockService.Errors} --json");
        var before = await service.Queues.ReadAsync(StockService.Errors);
        for (var cut = 1; cut <= 6; cut++)
        {
            var run = await CommandLineRun.RunAsync(service.Address, management, $"parked list --queue {StockService.Errors} --json");
            IdsOf(run.Output).ShouldBe(IdsOf(first.Output), ignoreOrder: true, $"after {cut} that were cut off");
            // its channel closes with all of them
            await service.Queues.ReadAsync(StockService.Errors);
        }

        (await service.Queues.DrainAsync(StockService.Errors)).Select(message => RawQueues.Said(message)).ShouldBe(
            before.Select(message => RawQueues.Said(message)),
            ignoreOrder: true);
    }

    /// <summary>On RabbitMQ 4.0 a quorum queue deletes a message that was given back to it more than twenty times.</summary>
    [Theory]
    [InlineData(false, null, false)]
    [InlineData(true, null, false)]
    [InlineData(true, null, true)]
    [InlineData(true, 4, false)]
    [InlineData(true, 4, true)]
    public async Task Fifty_lists_change_nothing(bool quorum, int? deliveryLimit, bool withManagement)
    {
        await using var service = await StockService.CreateAsync(broker, failed: 60, skipped: 1, quorum, deliveryLimit);
        var before = await service.Queues.ReadAsync(StockService.Errors);
        var management = withManagement ? broker.Broker.ManagementUri : null;
        var first = await CommandLineRun.RunAsync(service.Address, management, $"parked list --queue {StockService.Errors} --json");
        for (var list = 1; list < 50; list++)
        {
            // some of them stop in the middle
            await CommandLineRun.RunAsync(service.Address, management, $"parked list --queue {StockService.Errors} --limit {list}");
            var run = await CommandLineRun.RunAsync(service.Address, management, $"parked list --queue {StockService.Errors} --json");
            run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
            IdsOf(run.Output).ShouldBe(IdsOf(first.Output), ignoreOrder: true, $"list {list}");
        }

        (await service.Queues.DrainAsync(StockService.Errors)).Select(message => RawQueues.Said(message)).ShouldBe(
            before.Select(message => RawQueues.Said(message)),
            ignoreOrder: true);
    }

    /// <summary>With a limit of 4 the third look is near it, on brokers that count.</summary>
    [Fact]
    public async Task Who_may_not_write_is_stopped_before_a_look_costs_a_message()
    {
        await using var service = await StockService.CreateAsync(broker, failed: 20, skipped: 1, quorum: true, deliveryLimit: 4);
        using var management = new RawManagement(broker.Broker, service.Address);
        await management.SetUserAsync("looker", "looker", mayConfigure: "^$", mayWrite: "^$", tags: "management");
        var looker = new UriBuilder(service.Address) { UserName = "looker", Password = "looker" }.Uri;

        var exitCodes = new List<int>();
        var error = string.Empty;
        for (var look = 0; look < 3; look++)
        {
            var run = await CommandLineRun.RunAsync(looker, broker.Broker.ManagementUri, $"parked list --queue {StockService.Errors}");
            exitCodes.Add(run.ExitCode);
            error += run.Error;
        }

        if (!service.CountsWhatIsGivenBack)
        {
            exitCodes.ShouldAllBe(exitCode => exitCode == ExitCode.Done, error);
        }
        else
        {
            exitCodes.ShouldBe([ExitCode.Done, ExitCode.Done, ExitCode.Failed]);
            error.ShouldStartWith("retryctl: Queue 'payments_error' drops a message that was given back to it too often. Its messages were given back 2 times, and could not be put into it anew: ");
            error.ShouldEndWith(" Read it as a user who may write to it, or raise its delivery limit first.\n");
        }

        for (var look = 0; look < 10; look++)
        {
            var run = await CommandLineRun.RunAsync(service.Address, broker.Broker.ManagementUri, $"parked list --queue {StockService.Errors}");
            run.Output.ShouldContain("20 messages: 20 Failed.", customMessage: run.Error);
        }
    }

    private static async Task<string[]> LinesAsync(StockService service, string line)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var host = new CliHost
        {
            Out = output,
            Error = TextWriter.Null,
            OutIsTerminal = true,
            Width = 80,
            Variable = name => name == "RETRY_BROKER" ? service.Address.AbsoluteUri : null,
        };
        (await RetryCtl.InvokeAsync(line.Split(' '), host)).ShouldBe(ExitCode.Done);
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static IEnumerable<string> IdsOf(string lines) => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("id").GetString()!;
    });

    private static bool IsTimeout(BasicGetResult message) =>
        message.BasicProperties.Headers!["MT-Fault-ExceptionType"] is byte[] type && type.AsSpan().SequenceEqual("System.TimeoutException"u8);

    private static bool IsOfTheFault(string name) =>
        name.StartsWith("MT-Fault-", StringComparison.Ordinal) || name.StartsWith("MT-Host-", StringComparison.Ordinal) || name == "MT-Reason";

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(StockService service, string line) =>
        CommandLineRun.RunAsync(service.Address, null, line);

    private static async Task<IReadOnlyList<(string Name, long Count)>> GroupsAsync(StockService service, string options)
    {
        var run = await RunAsync(service, $"parked list --queue {StockService.Errors} {options} --json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text =>
        {
            using var document = JsonDocument.Parse(text);
            return (document.RootElement.GetProperty("name").GetString()!, document.RootElement.GetProperty("count").GetInt64());
        })];
    }
}
