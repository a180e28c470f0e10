using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>What lay in MassTransit's own error queue before this library was there.</summary>
[Collection(LotBroker.Name)]
public sealed class AdoptedMessagesTests(BrokerFixture broker)
{
    private const string Errors = RawLot.Work + "_error";

    [Fact]
    public async Task Messages_of_an_error_queue_are_parked_with_their_cause_and_id_and_replayed_like_others()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await FailAsync(lot, 20);
        var ids = await IdsAsync(lot, $"--queue {Errors}");

        var dryRun = await CommandLineRun.RunAsync(lot.Address, null, $"parked adopt {Errors} --exception Gateway --dry-run");
        dryRun.Output.ShouldContain($"Dry run: would adopt 20 messages of '{Errors}': 20 Failed. Set ");
        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked adopt {Errors} --yes");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain($"Adopted 20 messages of '{Errors}': 20 Failed. Plan ");
        (await lot.WaitForCountAsync(RawLot.Parked, 20)).ShouldBe(20u);
        (await lot.CountAsync(Errors)).ShouldBe(0u);
        (await IdsAsync(lot, RawLot.Work)).ShouldBe(ids, ignoreOrder: true);
        (await CommandLineRun.RunAsync(lot.Address, null, $"parked list {RawLot.Work} --text 503 --attempts 3")).Output.ShouldContain("20 messages: 20 Failed");

        (await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes")).ExitCode.ShouldBe(ExitCode.Done);
        var copies = await lot.DrainAsync(RawLot.Work);
        copies.Count.ShouldBe(20);
        copies.ShouldAllBe(copy => copy.Body.Length == 9 && RawLot.Header(copy, "tenant") == "acme" && RawLot.Header(copy, "MT-Fault-Message") == null);
    }

    [Fact]
    public async Task Without_a_parking_lot_nothing_is_moved_and_the_next_step_is_named()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await FailAsync(lot, 1);

        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked adopt {Errors} --to orders --yes");

        run.ExitCode.ShouldBe(ExitCode.Usage);
        run.Error.ShouldContain("'retryctl topology apply --point orders'");
        (await lot.WaitForCountAsync(Errors, 1)).ShouldBe(1u);
    }

    [Fact]
    public async Task An_adoption_that_was_killed_is_resumed()
    {
        const int Count = 3000;
        await using var lot = await RawLot.CreateAsync(broker);
        await FailAsync(lot, Count);
        await using (var adopt = OperatorProcess.Type(lot.Address, $"parked adopt {Errors} --yes"))
        {
            await lot.WaitForMoreAsync(RawLot.Parked, 700);
            await adopt.KillAsync();
        }

        if (await OpenPlan.FindAsync(lot.Address) is { } plan)
        {
            await using var resume = OperatorProcess.Type(lot.Address, $"plans resume {plan}");
            (await resume.EndAsync()).ShouldBe(ExitCode.Done, resume.Said);
        }

        (await lot.WaitForCountAsync(Errors, 0)).ShouldBe(0u);
        var adopted = (await lot.DrainAsync(RawLot.Parked)).GroupBy(message => message.BasicProperties.CorrelationId).ToList();
        adopted.Count.ShouldBe(Count);
        adopted.Sum(copies => copies.Count() - 1).ShouldBeLessThanOrEqualTo(1000);
        adopted.Where(copies => copies.Count() > 1).ShouldAllBe(copies => copies.Count(copy => RawLot.Header(copy, RetryHeaderNames.Repeated) == null) == 1);
    }

    private static async Task FailAsync(RawLot lot, int count)
    {
        await lot.Channel.QueueDeclareAsync(Errors, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        foreach (var batch in Enumerable.Range(0, count).Chunk(50))
        {
            await Task.WhenAll(batch.Select(number => lot.Channel.BasicPublishAsync(
                string.Empty,
                Errors,
                mandatory: true,
                new BasicProperties
                {
                    CorrelationId = $"{number}",
                    Persistent = true,
                    Headers = new Dictionary<string, object?>
                    {
                        ["tenant"] = "acme",
                        [MassTransitHeaderNames.Reason] = "fault",
                        [MassTransitHeaderNames.ExceptionType] = "Shop.GatewayException",
                        [MassTransitHeaderNames.ExceptionMessage] = "503",
                        [MassTransitHeaderNames.RetryCount] = 2,
                        [MassTransitHeaderNames.InputAddress] = $"rabbitmq://host/vhost/{RawLot.Work}",
                        [MassTransitHeaderNames.Timestamp] = "2026-11-29T06:00:00.0000000Z",
                    },
                },
                "{\"is\":10}"u8.ToArray()).AsTask()));
        }
    }

    private static async Task<IReadOnlyList<string>> IdsAsync(RawLot lot, string place) =>
        [.. (await CommandLineRun.RunAsync(lot.Address, null, $"parked list {place} --json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];
}
