using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

[Collection(OperatorBroker.Name)]
public sealed class RetryCtlTests(BrokerFixture broker)
{
    [Fact]
    public async Task Applies_the_topology_and_may_do_so_again()
    {
        var address = await broker.CreateVirtualHostAsync();
        (await RunAsync(address, "topology plan")).Output.ShouldContain("71 missing");
        var first = await RunAsync(address, "topology apply --point payments");
        first.ExitCode.ShouldBe(ExitCode.Done, first.Error);
        first.Output.ShouldContain("72 of the exchanges and queues are new");
        first.Error.ShouldContain("found no queue 'payments', wanted the work queue of a retry point");
        first.Error.ShouldContain("start its service, then run this command again: it binds the queue and writes its policy");
        first.Error.ShouldContain("run 'retryctl topology remove --point payments', which removes");
        (await RunAsync(address, "topology apply --point payments")).Output.ShouldContain("0 of the exchanges and queues are new");
        using var plan = JsonDocument.Parse((await RunAsync(address, "topology plan --json")).Output);
        plan.RootElement.GetProperty("queues").EnumerateArray().ShouldAllBe(queue => queue.GetProperty("exists").GetBoolean());
    }

    [Fact]
    public async Task Interrupted_while_it_declares_it_does_not_say_that_nothing_was_changed()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var stop = new CancellationTokenSource();
        using var error = new StringWriter();
        var host = new CliHost { Out = TextWriter.Null, Error = error, Variable = name => name == "RETRY_BROKER" ? address.AbsoluteUri : null, Time = new InterruptingClock(stop, looks: 5) };

        (await RetryCtl.InvokeAsync(["topology", "apply"], host, stop.Token)).ShouldBe(ExitCode.Failed);

        error.ToString().ShouldBe($"retryctl: Interrupted. What was declared or written by then stays; run it again for the rest.{Environment.NewLine}");
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.ExchangeDeclarePassiveAsync(TopologyPlan.Ladder.Exchanges[0].Name);
    }

    [Fact]
    public async Task A_limited_point_gets_its_release_queue_and_keeps_its_binding_unasked()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("payments", durable: true, exclusive: false, autoDelete: false);
        var isolated = await RunAsync(address, "topology apply --isolated payments");
        isolated.Output.ShouldContain("Declared 11 exchanges, 62 queues, 70 bindings");
        await channel.ExchangeDeleteAsync(BrokerNames.ReturnExchange);

        (await RunAsync(address, "topology apply --point payments")).Output.ShouldContain("70 bindings; 1 of the exchanges and queues is new");
        await channel.BasicPublishAsync(BrokerNames.ReturnExchange, "0.0.0.0.0.0.0.0.payments.release", "{}"u8.ToArray());
        await raw.WaitForCountAsync("payments.release", 1, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Lists_as_a_table_for_people_and_as_lines_of_JSON_for_scripts()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(60, i => i == 0 ? ParkReason.Failed : ParkReason.Exhausted);

        var table = await RunAsync(lot.Address, "parked list payments");
        table.ExitCode.ShouldBe(ExitCode.Done, table.Error);
        table.Output.ShouldContain("id-000000");
        table.Output.ShouldMatch(@"60 messages: 59 Exhausted, 1 Failed\. Oldest \d+s, newest \d+s\. The table shows the first 50; --limit 0 shows all\.");

        (await lot.WaitForCountAsync(RawLot.Parked, 60)).ShouldBe(60u);
        var json = await RunAsync(lot.Address, "parked list payments --json");
        json.Error.ShouldBeEmpty();
        var lines = json.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        lines.Select(line => line.GetProperty("id").GetString()).ShouldBe(Enumerable.Range(0, 60).Select(RawLot.Id));
        lines[0].GetProperty("reason").GetString().ShouldBe("Failed");
        lines[0].GetProperty("headers").GetProperty("tenant").GetString().ShouldBe("acme");

        (await lot.WaitForCountAsync(RawLot.Parked, 60)).ShouldBe(60u);
        (await RunAsync(lot.Address, "parked list payments --reason failed")).Output.ShouldContain("1 message: 1 Failed.");
    }

    [Fact]
    public async Task Shows_a_message_with_its_body_and_writes_the_bytes()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        const string Body = """{"amount":1,"note":"line\nbreak"}""";
        await lot.ParkAsync("one", body: Body);

        var page = await RunAsync(lot.Address, "parked show payments one");
        page.ExitCode.ShouldBe(ExitCode.Done, page.Error);
        page.Output.ShouldContain("\"amount\": 1");
        page.Output.ShouldContain("Shop.GatewayException: 503");

        (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            (await RunAsync(lot.Address, "parked show payments one --body-to " + file)).ExitCode.ShouldBe(ExitCode.Done);
            (await File.ReadAllBytesAsync(file)).ShouldBe(Encoding.UTF8.GetBytes(Body));
        }
        finally
        {
            File.Delete(file);
        }

        (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
        var missing = await RunAsync(lot.Address, "parked show payments two");
        missing.ExitCode.ShouldBe(ExitCode.Failed);
        missing.Error.ShouldContain("Found no parked message of 'payments' with id two");
    }

    [Fact]
    public async Task Replays_by_id_without_asking_and_all_with_yes()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(10);

        var dry = await RunAsync(lot.Address, "parked replay payments --all --dry-run");
        dry.Output.ShouldContain("Dry run: would replay 10 messages of 'payments': 10 Exhausted.");
        (await lot.WaitForCountAsync(RawLot.Parked, 10)).ShouldBe(10u);

        var two = await RunAsync(lot.Address, "parked replay payments id-000003 id-000004");
        two.ExitCode.ShouldBe(ExitCode.Done, two.Error);
        two.Output.ShouldContain("Replayed 2 messages of 'payments'");
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe([RawLot.Id(3), RawLot.Id(4)]);

        (await lot.WaitForCountAsync(RawLot.Parked, 8)).ShouldBe(8u);
        using var all = JsonDocument.Parse((await RunAsync(lot.Address, "parked replay payments --all --yes --json")).Output);
        all.RootElement.GetProperty("count").GetInt32().ShouldBe(8);
        all.RootElement.GetProperty("plan").GetString().ShouldNotBeNullOrEmpty();
        (await lot.CountAsync(RawLot.Work)).ShouldBe(8u);
    }

    [Theory]
    [InlineData("n", 5u, ExitCode.Failed)]
    [InlineData("", 5u, ExitCode.Failed)]
    [InlineData("y", 0u, ExitCode.Done)]
    public async Task Asks_before_it_discards(string answer, uint left, int exitCode)
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(5);
        var result = await RunAsync(lot.Address, "parked discard payments --all", new StringReader(answer + "\n"));
        result.ExitCode.ShouldBe(exitCode);
        result.Error.ShouldMatch(@"Discard 5 messages of 'payments' \(5 Exhausted; set [0-9a-f]{16}\) for good\? \[y/N\]");
        result.Output.ShouldMatch(left == 0 ? @"^Discarded 5 messages of 'payments': 5 Exhausted\. Plan [0-9a-f]{32}\.\n$" : "^$");
        (await lot.WaitForCountAsync(RawLot.Parked, left)).ShouldBe(left);
    }

    [Theory]
    [InlineData("delayed list nosuch")]
    [InlineData("delayed release nosuch --yes")]
    public async Task A_queue_that_does_not_exist_is_wrong_usage(string line)
    {
        var result = await RunAsync(await broker.CreateVirtualHostAsync(), line);
        result.ExitCode.ShouldBe(ExitCode.Usage, result.Error);
        result.Error.ShouldContain("Found no queue 'nosuch', wanted the work queue of a retry point");
    }

    [Fact]
    public async Task The_question_says_where_copies_go_how_they_are_changed_and_how_fast()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(5);
        var replay = await RunAsync(lot.Address, "parked replay payments --all --to repair --set-header x-channel=batch --rate 50", new StringReader("n\n"));
        replay.Error.ShouldContain(") to 'repair', with x-channel=batch, at 50 a second? [y/N]");
        (await lot.WaitForCountAsync(RawLot.Parked, 5)).ShouldBe(5u);
    }

    [Fact]
    public async Task Says_what_is_missing_on_one_line()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        var wrongName = await RunAsync(lot.Address, "parked list payments.parked");
        wrongName.ExitCode.ShouldBe(ExitCode.Usage);
        wrongName.Error.ShouldContain("Give the work queue's name, 'payments'");

        foreach (var command in (string[])["parked list tpyo", "parked show tpyo 1", "parked replay tpyo --all --yes", "parked discard tpyo 1 --yes", "limiter status tpyo"])
        {
            var unknown = await RunAsync(lot.Address, command);
            unknown.ExitCode.ShouldBe(ExitCode.Usage, command);
            unknown.Error.ShouldContain("Found no queue 'tpyo", Case.Sensitive, command);
            unknown.Output.ShouldBeEmpty(command);
        }

        var noHost = await RunAsync(new Uri(lot.Address, "/no-such-vhost"), "parked list payments");
        noHost.Error.ShouldContain("has no virtual host 'no-such-vhost'");
        noHost.Error.Trim().ShouldNotContain("\n");

        var wrongPassword = await RunAsync(new UriBuilder(lot.Address) { Password = "s3cret" }.Uri, "parked list payments");
        wrongPassword.Error.ShouldContain("refused user");
        wrongPassword.Error.ShouldNotContain("s3cret");
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string line, TextReader? answers = null)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var host = new CliHost
        {
            Out = output,
            Error = error,
            In = answers ?? TextReader.Null,
            InIsTerminal = answers is not null,
            Variable = name => name == "RETRY_BROKER" ? address.AbsoluteUri : null,
        };
        return (await RetryCtl.InvokeAsync(line.Split(' '), host), output.ToString(), error.ToString());
    }

    /// <summary>Presses Ctrl-C when the progress display has looked at the clock a few times, which it does after each object.</summary>
    private sealed class InterruptingClock(CancellationTokenSource stop, int looks) : TimeProvider
    {
        private int _looks;

        public override long GetTimestamp()
        {
            if (++_looks == looks)
            {
                stop.Cancel();
            }

            return base.GetTimestamp();
        }
    }
}
