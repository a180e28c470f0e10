using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What is cancelled while something is killed, or half dead.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class CancelFailureTests(OwnNode node) : IClassFixture<OwnNode>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_a_process_cancelled_that_is_killed_at_once_does_not_arrive()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        var arrived = new Arrived<Order>();
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        using var canceller = TestProcess.Start(TestProcess.CancellerRole, new Dictionary<string, string> { [CancellerProcess.BrokerVariable] = uri.ToString() });
        (await canceller.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(CancellerProcess.Ready);
        var due = DateTime.UtcNow.AddSeconds(8);
        var first = await service.Scheduler.ScheduleSend(new Uri(CancellerProcess.Destination), due, new Order(1));
        await service.Scheduler.ScheduleSend(new Uri(CancellerProcess.Destination), due.AddSeconds(1), new Order(2));

        await canceller.StandardInput.WriteLineAsync(first.TokenId.ToString());
        await canceller.StandardInput.FlushAsync();
        (await canceller.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(CancellerProcess.Cancelled);
        canceller.Kill();
        (due - DateTime.UtcNow).ShouldBeGreaterThan(TimeSpan.FromSeconds(1), "too slow a machine for this test");

        await OnlyTheSecondAsync(arrived);
    }

    /// <summary>The broker still has the channel of the reader, and sends it nothing: to the dispatcher that looks as if nobody cancelled anything.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public async Task While_the_reader_of_cancels_is_half_dead_nothing_is_dispatched_and_the_log_says_so()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        var log = new LogLines();
        var arrived = new Arrived<Order>();
        await using var service = await ScheduledService.StartAsync(
            uri,
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)),
            services: log.AddTo);
        var orders = new Uri(CancellerProcess.Destination);
        await service.Scheduler.ScheduleSend(orders, DateTime.UtcNow, new Order(0));
        await arrived.OneAsync();
        var due = DateTime.UtcNow.AddSeconds(10);
        var first = await service.Scheduler.ScheduleSend(orders, due, new Order(1));
        await service.Scheduler.ScheduleSend(orders, due, new Order(2));

        var suspended = await node.Broker.ControlAsync(
            "eval",
            $"[sys:suspend(element(2, element(1, C))) || C <- ets:tab2list(consumer_created), element(4, element(1, element(1, C))) =:= <<\"{BrokerNames.CancelledStream}\">>].");
        suspended.Trim().ShouldBe("[ok]");
        await service.Scheduler.CancelScheduledSend(first);
        (due - DateTime.UtcNow).ShouldBeGreaterThan(TimeSpan.FromSeconds(1), "too slow a machine for this test");

        await log.WaitForLineAsync(Deadline, "it is not known what has been cancelled");
        DateTime.UtcNow.ShouldBeGreaterThan(due);
        arrived.Count.ShouldBe(1);
        // what has been silent for ten seconds is given up, and what takes its place reads all there is first
        await Eventually.TrueAsync(() => arrived.Count > 1, Deadline);
        arrived.All[1].At.ShouldBeGreaterThan(due + TimeSpan.FromSeconds(10));
        await Never.TrueAsync(() => arrived.Count > 2, TimeSpan.FromSeconds(1));
        arrived.All[1].Message.Number.ShouldBe(2);
    }

    private static async Task OnlyTheSecondAsync(Arrived<Order> arrived)
    {
        await arrived.OneAsync();
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1));
        arrived.All.ShouldHaveSingleItem().Message.Number.ShouldBe(2);
    }

    public sealed record Order(int Number);
}
