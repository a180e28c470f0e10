using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>What the broker itself has parked, among what the library has.</summary>
[Collection(LotBroker.Name)]
public sealed class BrokerParkedTests(BrokerFixture broker)
{
    private const int All = 50_000;
    private const int ByBroker = 5000;

    [Fact]
    [Trait("Category", "Long")]
    public async Task Five_thousand_of_fifty_thousand_are_listed_grouped_and_replayed_like_the_others()
    {
        await using var lot = await RawLot.CreateAsync(broker, workArguments: new()
        {
            ["x-queue-type"] = "quorum",
            ["x-dead-letter-exchange"] = BrokerNames.ParkingExchange,
            ["x-dead-letter-routing-key"] = RawLot.Work,
        });
        await using (var channel = await RawLot.OpenForManyAsync(lot.Connection, tracking: true))
        {
            foreach (var window in Enumerable.Range(0, All).Chunk(1000))
            {
                // every tenth comes to a consumer that rejects it
                await Task.WhenAll(window.Select(number => number % 10 == 0
                    ? channel.BasicPublishAsync(string.Empty, RawLot.Work, mandatory: true, new BasicProperties { MessageId = ByBrokerId(number), Persistent = true }, "{}"u8.ToArray()).AsTask()
                    : lot.ParkAsync(RawLot.Id(number), through: channel)));
            }

            for (var left = ByBroker; left > 0; left--)
            {
                var message = (await channel.BasicGetAsync(RawLot.Work, autoAck: false)).ShouldNotBeNull();
                if (left == 1)
                {
                    await channel.BasicNackAsync(message.DeliveryTag, multiple: true, requeue: false);
                }
            }

            // a broker's channel that closes forgets what it holds back
            await ParkedAsync(lot, All);
        }

        var listed = await RunAsync(lot, $"parked list {RawLot.Work} --json");
        listed.Select(message => message.GetProperty("id").GetString()).Distinct().Count().ShouldBe(All);
        listed.Count(message => message.GetProperty("id").GetString()!.StartsWith("broker-", StringComparison.Ordinal)).ShouldBe(ByBroker);
        var groups = await RunAsync(lot, $"parked list {RawLot.Work} --group-by reason --json");
        groups.Select(group => (group.GetProperty("name").GetString(), group.GetProperty("count").GetInt32())).ShouldBe([("Exhausted", All - ByBroker), ("Failed", ByBroker)]);

        var replayed = await RunAsync(lot, $"parked replay {RawLot.Work} --reason Failed --yes --json");
        replayed.Single().GetProperty("count").GetInt32().ShouldBe(ByBroker);
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId!).Order()
            .ShouldBe(Enumerable.Range(0, All).Where(number => number % 10 == 0).Select(ByBrokerId).Order());
        await ParkedAsync(lot, All - ByBroker);
        (await RawReading.ReadAsync(lot.Address, RawLot.Parked)).Ids.Order().ShouldBe(Enumerable.Range(0, All).Where(number => number % 10 != 0).Select(RawLot.Id));
        await ParkedAsync(lot, All - ByBroker);
        await RunAsync(lot, $"parked replay {RawLot.Work} --all --yes --json");
        (await lot.DrainAsync(RawLot.Work)).Count.ShouldBe(All - ByBroker);
    }

    private static string ByBrokerId(int number) => $"broker-{number:000000}";

    private static Task ParkedAsync(RawLot lot, int count) => Eventually.TrueAsync(async () => await lot.CountAsync(RawLot.Parked) == count, TimeSpan.FromMinutes(1));

    private static async Task<List<JsonElement>> RunAsync(RawLot lot, string line)
    {
        var run = await CommandLineRun.RunAsync(lot.Address, null, line);
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(document => JsonDocument.Parse(document).RootElement)];
    }
}
