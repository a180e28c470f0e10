using System.Text.Json;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>A replay that is killed, and gone on with on another machine.</summary>
[Collection(LotBroker.Name)]
public sealed class KilledPlanTests(BrokerFixture broker)
{
    // what may be published and not yet taken out at once
    private const int ConfirmWindow = 1000;

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(10)]
    public Task Killed_at_any_point_and_resumed_every_message_arrives_and_second_copies_are_few_and_marked(int tenths) => KillAsync(tenths);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    public Task Killed_at_each_of_ten_points_and_resumed_every_message_arrives(int tenths) => KillAsync(tenths);

    [Theory]
    [InlineData("archive")]
    [InlineData("restore")]
    public async Task A_move_into_the_archive_or_back_that_was_killed_is_resumed_and_second_copies_are_marked(string move)
    {
        const int Count = 3000;
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);
        var archive = $"{RawLot.Work}.archived";
        var (from, to, before) = move == "archive" ? (RawLot.Parked, archive, RawLot.Id(0)) : (archive, RawLot.Parked, "--all");
        (await CommandLineRun.RunAsync(lot.Address, null, $"parked archive {RawLot.Work} {before} --yes")).ExitCode.ShouldBe(ExitCode.Done);

        await using (var moves = OperatorProcess.Type(lot.Address, $"parked {move} {RawLot.Work} --all --yes"))
        {
            await lot.WaitForMoreAsync(to, 700);
            await moves.KillAsync();
        }

        if (await OpenPlan.FindAsync(lot.Address) is { } plan)
        {
            await using var resume = OperatorProcess.Type(lot.Address, $"plans resume {plan}");
            (await resume.EndAsync()).ShouldBe(ExitCode.Done, resume.Said);
        }

        (await lot.WaitForCountAsync(from, 0)).ShouldBe(0u);
        var moved = (await lot.DrainAsync(to)).GroupBy(message => message.BasicProperties.MessageId!).ToList();
        moved.Select(copies => copies.Key).Order().ShouldBe(Enumerable.Range(0, Count).Select(RawLot.Id));
        moved.Sum(copies => copies.Count() - 1).ShouldBeLessThanOrEqualTo(ConfirmWindow);
        moved.Where(copies => copies.Count() > 1).ShouldAllBe(copies => copies.Count(message => RawLot.Header(message, RetryHeaderNames.Repeated) == null) == 1);
    }

    private async Task KillAsync(int tenths)
    {
        const int Count = 6000;
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);
        await using (var replay = OperatorProcess.Type(lot.Address, $"parked replay {RawLot.Work} --all --yes"))
        {
            // the tenth kill comes as near to the end as it can
            var wanted = (Count * tenths / 10) - new Random(tenths).Next(100, Count / 10);
            await lot.WaitForMoreAsync(RawLot.Work, wanted);
            await replay.KillAsync();
        }

        await lot.ParkAsync("later");
        var plan = await OpenPlan.FindAsync(lot.Address);
        if (plan is not null)
        {
            (await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --dry-run")).Error.ShouldContain($"plan {plan} was not finished");
            await using var resume = OperatorProcess.Type(lot.Address, $"plans resume {plan}");
            (await resume.EndAsync()).ShouldBe(ExitCode.Done, resume.Said);
            var shown = (await CommandLineRun.RunAsync(lot.Address, null, $"plans show {plan} --json")).Output;
            JsonDocument.Parse(shown).RootElement.GetProperty("moved").GetInt32().ShouldBe(Count);
        }

        await lot.WaitForCountAsync(RawLot.Parked, 1);
        (await lot.DrainAsync(RawLot.Parked)).ShouldHaveSingleItem().BasicProperties.MessageId.ShouldBe("later");
        var arrived = (await lot.DrainAsync(RawLot.Work)).GroupBy(message => message.BasicProperties.MessageId!).ToList();
        arrived.Select(copies => copies.Key).Order().ShouldBe(Enumerable.Range(0, Count).Select(RawLot.Id));
        var twice = arrived.Where(copies => copies.Count() > 1).ToList();
        twice.Sum(copies => copies.Count() - 1).ShouldBeLessThanOrEqualTo(ConfirmWindow);
        twice.ShouldAllBe(copies => copies.Count(message => RawLot.Header(message, RetryHeaderNames.Repeated) == null) == 1);
        arrived.SelectMany(copies => copies).Select(message => RawLot.Header(message, RetryHeaderNames.Plan)).Distinct().ShouldHaveSingleItem();
        (await CommandLineRun.RunAsync(lot.Address, null, "plans list")).ExitCode.ShouldBe(ExitCode.Done);
    }
}
