using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>Real processes, some of which are ill while the target is well, counted by the ledger of the target.</summary>
[Collection(OperatorBroker.Name)]
public sealed class SickProcessTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Backlog = 2000;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Ill = TimeSpan.FromSeconds(25);

    // how many are ill, and of how many
    private static readonly int[] Processes = [.. (Environment.GetEnvironmentVariable("RETRY_SICK_PROCESSES") ?? "1/5").Split('/').Select(int.Parse)];

    [Fact]
    [Trait("Category", "Long")]
    public async Task Ill_processes_of_several_stop_taking_and_the_others_do_all_messages()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var cluster = new CircuitCluster(address, breaker: true, Interval) { Work = TimeSpan.FromMilliseconds(50) };
        await cluster.StartAsync(Processes[1]);
        await cluster.BeginSendingAsync(50);
        await Eventually.TrueAsync(() => cluster.Calls().Count > 500, Deadline);
        int[] ill = [.. cluster.Processes.Take(Processes[0]).Select(process => process.Id)];
        foreach (var process in ill)
        {
            cluster.Make(ill: true, process);
        }

        // while there is a backlog, who fails at once takes most of it
        var began = DateTime.UtcNow;
        await cluster.SendAsync(Backlog, from: 1_000_000);
        await Scenario.PauseAsync(began + Ill - DateTime.UtcNow);

        var calls = cluster.Calls();
        calls.ShouldNotContain(call => !ill.Contains(call.Process) && !call.IsDone);
        foreach (var process in ill)
        {
            var failed = calls.Where(call => call.Process == process && !call.IsDone).ToList();
            var twelfth = failed[11].At;
            var late = failed.Where(call => call.At > twelfth + TimeSpan.FromSeconds(5)).ToList();
            var second = calls.Where(call => call.At > twelfth && call.At < twelfth + TimeSpan.FromSeconds(1)).ToList();
            var another = second.Count(call => !ill.Contains(call.Process)) / (double)(Processes[1] - ill.Length);
            output.WriteLine($"process {process}: {failed.Count} failed, in a second {second.Count(call => call.Process == process) / another:0.0} times another's share");
            output.WriteLine($"later than 5 s after its twelfth: {string.Join(' ', late.Select(call => $"{(call.At - twelfth).TotalSeconds:0.0}"))}");
            late.Count.ShouldBeInRange(1, 4, "after 2, 4, 8 and 16 s it tries itself");
        }

        var status = await RunAsync(address, "breaker status payments --json");
        status.Output.ShouldContain("\"version\":0", customMessage: "the circuit of the cluster was never open");
        status.Output.Split("attempts failed").Length.ShouldBe(ill.Length + 1);
        var nodes = await RunAsync(address, "nodes");
        nodes.Output.Split("ILL").Length.ShouldBe(ill.Length + 1, nodes.Output);
        foreach (var process in ill)
        {
            cluster.Make(ill: false, process);
        }

        var well = DateTime.UtcNow;
        await Eventually.TrueAsync(() => ill.All(process => cluster.Calls().Count(call => call.Process == process && call.At > well) > 20), Deadline);
        output.WriteLine($"all take part again {(DateTime.UtcNow - well).TotalSeconds:0.0} s after they were well");
        var sent = Backlog + await cluster.EndSendingAsync();
        await Eventually.TrueAsync(() => Done(cluster) == sent, Deadline, () => $"{Done(cluster)} of {sent} done");
        var failedSomewhere = cluster.Calls().Where(call => !call.IsDone).Select(call => call.Message).ToHashSet();
        output.WriteLine($"{sent} sent, {failedSomewhere.Count} of them failed at an ill process, all done");
        cluster.Calls().Where(call => call.IsDone && call.At > began + Interval && call.At < well).ShouldAllBe(call => !ill.Contains(call.Process));
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private static int Done(CircuitCluster cluster) => cluster.Calls().Where(call => call.IsDone).Select(call => call.Message).Distinct().Count();
}
