using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>Plans that nobody looks after are carried out by a service with operations.</summary>
[Collection(LotBroker.Name)]
public sealed class DetachedPlanTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Count = 4000;
    private const int ConfirmWindow = 1000;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_detached_plan_waits_for_a_service_and_of_two_services_one_carries_it_out()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);

        var run = await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes --detach");
        run.ExitCode.ShouldBe(ExitCode.Finding);
        run.Output.ShouldContain("is left to a service");
        run.Error.ShouldContain("No service with AddRetryOperations is there.");
        await lot.ParkAsync("later");
        (await lot.WaitForCountAsync(RawLot.Parked, Count + 1)).ShouldBe(Count + 1u);
        (await lot.CountAsync(RawLot.Work)).ShouldBe(0u);

        using var one = await PlanCarrierProcess.StartAsync(lot.Address.AbsoluteUri);
        using var two = await PlanCarrierProcess.StartAsync(lot.Address.AbsoluteUri);
        await EndedAsync(lot.Address, "Done");

        (await IdsAsync(lot)).ShouldBe(Enumerable.Range(0, Count).Select(RawLot.Id));
        (await lot.DrainAsync(RawLot.Parked)).ShouldHaveSingleItem().BasicProperties.MessageId.ShouldBe("later");
        await lot.ParkAsync("again");
        var discard = await CommandLineRun.RunAsync(lot.Address, null, $"parked discard {RawLot.Work} --all --yes --detach --json");
        discard.ExitCode.ShouldBe(ExitCode.Done, discard.Error);
        JsonDocument.Parse(discard.Output).RootElement.GetProperty("detached").GetBoolean().ShouldBeTrue();
        await EndedAsync(lot.Address, "Done");
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(0u);
        await one.StopAsync();
        await two.StopAsync();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_service_that_is_killed_is_followed_by_another_and_second_copies_are_few_and_marked()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);
        using var first = await StartAsync(lot.Address);
        (await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes --detach --rate 800")).ExitCode.ShouldBe(ExitCode.Done);
        await lot.WaitForMoreAsync(RawLot.Work, Count / 4);
        using var second = await StartAsync(lot.Address);
        first.Kill();
        await first.WaitForExitAsync();

        await EndedAsync(lot.Address, "Done");
        second.Kill();
        await second.WaitForExitAsync();

        var arrived = (await lot.DrainAsync(RawLot.Work)).GroupBy(message => message.BasicProperties.MessageId!).ToList();
        arrived.Select(copies => copies.Key).Order().ShouldBe(Enumerable.Range(0, Count).Select(RawLot.Id));
        var twice = arrived.Where(copies => copies.Count() > 1).ToList();
        output.WriteLine($"{twice.Count} of {Count} are there twice");
        twice.Sum(copies => copies.Count() - 1).ShouldBeLessThanOrEqualTo(ConfirmWindow);
        twice.ShouldAllBe(copies => copies.Count(message => RawLot.Header(message, RetryHeaderNames.Repeated) == null) == 1);
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(0u);
    }

    [Fact]
    public async Task An_operator_who_cancels_a_plan_that_a_service_carries_out_is_given_it()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(Count);
        using var service = await PlanCarrierProcess.StartAsync(lot.Address.AbsoluteUri);
        // two minutes and a half at this rate
        await CommandLineRun.RunAsync(lot.Address, null, $"parked replay {RawLot.Work} --all --yes --detach --rate 30");
        await lot.WaitForMoreAsync(RawLot.Work, 20);
        var plan = (await OpenPlan.FindAsync(lot.Address)).ShouldNotBeNull();

        var clock = Stopwatch.StartNew();
        var cancel = await CommandLineRun.RunAsync(lot.Address, null, $"plans cancel {plan} --json");
        cancel.ExitCode.ShouldBe(ExitCode.Done, cancel.Error);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(40));

        var sent = await IdsAsync(lot);
        sent.Count.ShouldBeLessThan(Count / 2);
        JsonDocument.Parse(cancel.Output).RootElement.GetProperty("moved").GetInt32().ShouldBe(sent.Count);
        (await lot.WaitForCountAsync(RawLot.Parked, (uint)(Count - sent.Count))).ShouldBe((uint)(Count - sent.Count));
        await service.StopAsync();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_replay_of_a_service_that_a_full_work_queue_stopped_goes_on_when_there_is_room()
    {
        var full = new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-max-length"] = 100, ["x-overflow"] = "reject-publish" };
        await using var lot = await RawLot.CreateAsync(broker, workArguments: full);
        await lot.ParkManyAsync(700);
        using var service = await PlanCarrierProcess.StartAsync(lot.Address.AbsoluteUri);

        await Should.ThrowAsync<ParkingException>(async () =>
        {
            await foreach (var _ in service.Services.GetRequiredService<IParkingLot>().ReplayAsync(RawLot.Work, ParkedFilter.All))
            {
            }
        });

        var arrived = new HashSet<string>(StringComparer.Ordinal);
        await Eventually.TrueAsync(
            async () =>
            {
                arrived.UnionWith(await IdsAsync(lot));
                return arrived.Count == 700;
            },
            TimeSpan.FromMinutes(4),
            () => $"{arrived.Count} of 700 arrived");
        await EndedAsync(lot.Address, "Done");
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(0u);
        await service.StopAsync();
    }

    private static async Task<List<string>> IdsAsync(RawLot lot) => [.. (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId!).Order()];

    private static Task EndedAsync(Uri address, string state)
    {
        string? found = null;
        return Eventually.TrueAsync(
            async () =>
            {
                found = (await CommandLineRun.RunAsync(address, null, "plans list --json")).Output.Split('\n')[0];
                return found.Length > 0 && JsonDocument.Parse(found).RootElement.GetProperty("state").GetString() == state;
            },
            Deadline,
            () => found ?? "no plan");
    }

    private static async Task<Process> StartAsync(Uri address)
    {
        var process = TestProcess.Start(TestProcess.PlanCarrierRole, new Dictionary<string, string> { [PlanCarrierProcess.BrokerVariable] = address.AbsoluteUri });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(PlanCarrierProcess.Ready);
        return process;
    }
}
