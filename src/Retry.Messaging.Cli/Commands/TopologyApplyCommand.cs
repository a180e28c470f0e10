using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands;

/// <summary><c>topology apply</c>: declares the ladder and the points. What exists already is left as it is.</summary>
internal static class TopologyApplyCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("apply", "Declares what 'plan' shows; may be repeated. What exists with other properties is left as it is and named: exit code 3.");
        var point = PointOption.Create();
        command.Options.Add(point);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, PointOption.PlanOf(parsed, point), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, TopologyPlan plan, CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        // A work queue belongs to its service: one that is not there yet is bound when the service starts.
        var absent = await ExistingTopology.FindMissingQueuesAsync(connection, TopologyExport.BoundElsewhere(plan), cancellationToken).ConfigureAwait(false);
        plan = plan with { Bindings = [.. plan.Bindings.Where(binding => !binding.ToQueue || !absent.Contains(binding.Destination))] };
        var before = await ExistingTopology.LookAsync(connection, plan, cancellationToken).ConfigureAwait(false);
        var total = plan.Exchanges.Count + plan.Queues.Count + plan.Bindings.Count;
        IReadOnlyList<TopologyException> different = [];
        await ProgressDisplay.RunAsync(host, "Declaring", async report =>
            different = await TopologyDeclarer.DeclareAsync(connection, plan, new DeclarationProgress(declared => report(declared, total)), cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, new { Exchanges = plan.Exchanges.Count, Queues = plan.Queues.Count, Bindings = plan.Bindings.Count, Created = before.MissingCount, NotBoundYet = absent, Different = different.Select(found => found.Message) });
        }
        else
        {
            host.Out.WriteLine($"Declared {TopologyCount.Of(plan)}; {Printable.Count(before.MissingCount)} of the exchanges and queues are new.");
            foreach (var queue in absent)
            {
                host.Out.WriteLine($"Queue '{queue}' does not exist yet; its service binds it when it starts.");
            }
        }

        foreach (var found in different)
        {
            host.Error.WriteLine(found.Message);
        }

        return different.Count == 0 ? ExitCode.Done : ExitCode.Finding;
    }

    private sealed class DeclarationProgress(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
