using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>Elsewhere, changed, out of the way, into a file and back.</summary>
[Collection(LotBroker.Name)]
public sealed class OtherWaysOutTests(BrokerFixture broker)
{
    private const string Archive = RawLot.Work + ".archived";

    // written by the broker at each return, and by the test's own client at each publish
    private static readonly string[] Theirs = ["x-delivery-count", Constants.PublishSequenceNumberHeader];

    [Fact]
    public async Task A_copy_goes_to_another_queue_with_another_header_and_says_who_changed_it()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.Channel.QueueDeclareAsync("repair", durable: true, exclusive: false, autoDelete: false);
        await lot.ParkAsync("one");

        var run = await RunAsync(lot, $"parked replay {RawLot.Work} --tenant nobody --all", "parked replay payments --reason Exhausted --yes --to repair --set-header tenant=globex --set-header x-channel=batch");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        var copy = (await lot.DrainAsync("repair")).ShouldHaveSingleItem();
        RawLot.Header(copy, "tenant").ShouldBe("globex");
        RawLot.Header(copy, "x-channel").ShouldBe("batch");
        RawLot.Header(copy, RetryHeaderNames.Changed)!.ShouldEndWith(": tenant, x-channel");
        RawLot.Header(copy, RetryHeaderNames.Plan).ShouldNotBeNull();
        (await lot.CountAsync(RawLot.Work)).ShouldBe(0u);
        (await lot.WaitForCountAsync(RawLot.Parked, 0)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_queue_that_is_not_there_gets_nothing_and_the_lot_is_free()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("one");

        var run = await CommandLineRun.RunAsync(lot.Address, null, "parked replay payments --all --yes --to nowhere");

        run.ExitCode.ShouldBe(ExitCode.Usage);
        run.Error.ShouldContain("Found no queue 'nowhere' to replay to; nothing was moved");
        (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
        (await OpenPlan.FindAsync(lot.Address)).ShouldBeNull();
    }

    [Theory]
    [InlineData("sed -i 's/: 10,/: 11,/'", ExitCode.Done, "")]
    [InlineData("sed -i s/}//", ExitCode.Failed, "what was saved is not JSON (line 3, column")]
    [InlineData("true", ExitCode.Failed, "nothing in its body was changed")]
    [InlineData("false", ExitCode.Failed, "ended with exit code 1, so nothing was changed")]
    public async Task An_edited_body_is_sent_if_it_is_json_and_the_parked_one_stays_until_then(string editor, int exitCode, string says)
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("one", body: """{"amount":10,"card":12345678901234567890.10}""");

        var run = await CommandLineRun.RunAsync("parked replay payments one --edit", ("RETRY_BROKER", lot.Address.AbsoluteUri), ("EDITOR", editor), ("USER", "ann"));

        run.ExitCode.ShouldBe(exitCode, run.Error);
        run.Error.ShouldContain(says);
        if (exitCode != ExitCode.Done)
        {
            (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
            (await lot.CountAsync(RawLot.Work)).ShouldBe(0u);
            return;
        }

        var copy = (await lot.DrainAsync(RawLot.Work)).ShouldHaveSingleItem();
        Encoding.UTF8.GetString(copy.Body.Span).ShouldBe("{\n  \"amount\": 11,\n  \"card\": 12345678901234567890.10\n}");
        RawLot.Header(copy, RetryHeaderNames.Changed).ShouldBe($"ann@{Environment.MachineName}: body");
        (await lot.WaitForCountAsync(RawLot.Parked, 0)).ShouldBe(0u);
    }

    [Fact]
    public async Task What_is_archived_is_out_of_the_way_as_it_was_and_comes_back_under_its_id()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(20, number => number % 2 == 0 ? ParkReason.Failed : ParkReason.Exhausted);
        var before = await FilesAsync(lot);

        (await CommandLineRun.RunAsync(lot.Address, null, "parked archive payments --reason Failed --yes")).Output.ShouldContain("Archived 10 messages of 'payments': 10 Failed. Plan ");
        (await lot.WaitForCountAsync(RawLot.Parked, 10)).ShouldBe(10u);
        (await lot.WaitForCountAsync(Archive, 10)).ShouldBe(10u);
        (await CommandLineRun.RunAsync(lot.Address, null, "parked list payments --archived")).Output.ShouldContain("10 messages: 10 Failed");
        (await CommandLineRun.RunAsync(lot.Address, null, $"parked discard payments {RawLot.Id(0)} --archived --yes")).Output.ShouldContain("Discarded 1 message");

        (await CommandLineRun.RunAsync(lot.Address, null, "parked restore payments --all --yes")).Output.ShouldContain("Restored 9 messages");
        (await lot.WaitForCountAsync(RawLot.Parked, 19)).ShouldBe(19u);
        (await FilesAsync(lot)).Order().ShouldBe(before.Where(line => !line.Contains(RawLot.Id(0), StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task An_export_puts_back_byte_for_byte_what_was_there_once()
    {
        // more than an import puts at once: a bad line behind them is found before the first is put
        const int Many = 600;
        await using var lot = await RawLot.CreateAsync(broker);
        byte[] body = [0, 0xFF, (byte)'{', 13, 10];
        object?[] values = ["text", true, 3, 4L, (short)5, 1.5, 2.5f, (sbyte)-1, new byte[] { 0xFF }, new AmqpTimestamp(1764417600), null, new List<object?> { 1, "two" }, new Dictionary<string, object?> { ["inner"] = 7L }];
        await lot.ParkAsync(
            "odd",
            change: properties =>
            {
                for (var i = 0; i < values.Length; i++)
                {
                    properties.Headers![$"h{i}"] = values[i];
                }

                properties.CorrelationId = "c";
                properties.Timestamp = new AmqpTimestamp(1764417600);
                properties.ContentType = "application/octet-stream";
            },
            bytes: body);
        await lot.ParkManyAsync(Many);
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.jsonl");
        try
        {
            (await CommandLineRun.RunAsync(lot.Address, null, $"parked export payments --output {file}")).ExitCode.ShouldBe(ExitCode.Done);
            await lot.WaitForCountAsync(RawLot.Parked, Many + 1);
            var before = (await lot.DrainAsync(RawLot.Parked)).Select(Fingerprint).ToList();

            (await CommandLineRun.RunAsync(lot.Address, null, $"parked import payments {file}")).Output.ShouldContain($"Imported {Many + 1} messages");
            (await CommandLineRun.RunAsync(lot.Address, null, $"parked import payments {file}")).Output.ShouldContain($"Imported 0 messages into the parking lot of 'payments'; {Many + 1} were there already.");

            (await lot.WaitForCountAsync(RawLot.Parked, Many + 1)).ShouldBe(Many + 1u);
            var after = await lot.DrainAsync(RawLot.Parked);
            after.Select(Fingerprint).Order().ShouldBe(before.Order());
            after.Single(message => message.BasicProperties.MessageId == "odd").Body.ToArray().ShouldBe(body);

            // one was replayed since, and failed again
            await lot.ParkAsync("odd", change: properties => properties.Headers![RetryHeaderNames.Replayed] = 1);
            (await CommandLineRun.RunAsync(lot.Address, null, $"parked import payments {file}")).Output
                .ShouldContain($"Imported {Many} messages into the parking lot of 'payments'; 0 were there already. 1 more left out");
            (await lot.WaitForCountAsync(RawLot.Parked, Many + 1)).ShouldBe(Many + 1u);
            await lot.DrainAsync(RawLot.Parked);

            await File.AppendAllTextAsync(file, "{\"id\":\"x\"}\n");
            var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked import payments {file}");
            run.ExitCode.ShouldBe(ExitCode.Failed);
            run.Error.ShouldContain($"Line {Many + 2} cannot be imported, so nothing was changed");
            (await lot.CountAsync(RawLot.Parked)).ShouldBe(0u);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_group_that_was_seen_is_replayed_by_its_id()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(6, number => number % 3 == 0 ? ParkReason.Failed : ParkReason.Exhausted);
        var table = await CommandLineRun.RunAsync(lot.Address, null, "parked list payments --group-by reason");
        var id = table.Output.Split('\n').Single(line => line.Contains("Failed", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2];

        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked replay payments --group reason={id} --yes");

        run.Output.ShouldContain("Replayed 2 messages of 'payments': 2 Failed");
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId).ShouldBe([RawLot.Id(0), RawLot.Id(3)], ignoreOrder: true);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(RawLot lot, string nothing, string line)
    {
        (await CommandLineRun.RunAsync(lot.Address, null, nothing)).ExitCode.ShouldBe(ExitCode.Usage);
        return await CommandLineRun.RunAsync(lot.Address, null, line);
    }

    private static async Task<IReadOnlyList<string>> FilesAsync(RawLot lot) =>
        (await CommandLineRun.RunAsync(lot.Address, null, "parked export payments")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>All of a message, as a raw client sees it.</summary>
    private static string Fingerprint(BasicGetResult message)
    {
        var properties = message.BasicProperties;
        return $"{properties.MessageId}|{properties.ContentType}|{properties.CorrelationId}|{properties.Timestamp}|{properties.DeliveryMode}|{Convert.ToHexString(message.Body.Span)}|{Value(properties.Headers!.Where(header => !Theirs.Contains(header.Key)).ToDictionary())}";
    }

    private static string Value(object? value) => value switch
    {
        null => "null",
        byte[] bytes => Convert.ToHexString(bytes),
        IDictionary<string, object?> table => string.Join(";", table.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => $"{entry.Key}={Value(entry.Value)}")),
        System.Collections.IList list => string.Join(",", list.Cast<object?>().Select(Value)),
        _ => FormattableString.Invariant($"{value.GetType().Name}:{value}"),
    };
}
