using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Topology;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology apply</c>: declares the ladder and the points, and gives work queues the policy that parks what the broker drops.</summary>
internal static class TopologyApplyCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "apply",
            "Declares what 'plan' shows, and writes a policy for each point's work queue that parks what the broker drops from it. May be repeated. Leaves as it is, and names, what exists with other properties, and a queue that has a policy already; the exit code is then 3.");
        var points = PointOptions.AddTo(command);
        var all = PointOptions.AddAll(command, "Every retry point of the virtual host, in addition to those that are named. Needs the management API.");
        command.SetAction((parsed, cancellationToken) => RunAsync(
            host,
            parsed,
            points.QueuesOf(parsed),
            points.IsolatedOf(parsed),
            parsed.GetValue(all),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        IReadOnlyList<string> points,
        IReadOnlyList<string> isolated,
        bool all,
        CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        if (all)
        {
            await management.EnsureSameClusterAsync(connection, cancellationToken).ConfigureAwait(false);
            var known = KnownPoints.Find(await BrokerFactsReader.ReadAsync(management, cancellationToken).ConfigureAwait(false));
            points = [.. points.Union(known.Select(point => point.Work), StringComparer.Ordinal)];
        }

        var plan = PointOptions.PlanOf(points, isolated);

        // A point may have a release queue that nobody named here; without its binding the limiter's messages are lost.
        var releases = await ExistingTopology.FindReleaseBindingsAsync(connection, points, cancellationToken).ConfigureAwait(false);
        plan = plan with { Bindings = [.. plan.Bindings.Union(releases)] };

        // A work queue belongs to its service, and one that is not there yet cannot be bound.
        var absent = await ExistingTopology.FindMissingQueuesAsync(connection, TopologyExport.BoundElsewhere(plan), cancellationToken).ConfigureAwait(false);
        plan = plan with { Bindings = [.. plan.Bindings.Where(binding => !binding.ToQueue || !absent.Contains(binding.Destination))] };
        var before = await ExistingTopology.LookAsync(connection, plan, cancellationToken).ConfigureAwait(false);
        var total = plan.Exchanges.Count + plan.Queues.Count + plan.Bindings.Count;
        IReadOnlyList<TopologyException> different = [];
        WorkQueuePolicies policies;
        try
        {
            await ProgressDisplay.RunAsync(host, "Declaring", async report =>
                different = await TopologyDeclarer.DeclareAsync(
                    connection,
                    plan,
                    new DeclarationProgress(declared => report(declared, total)),
                    cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            policies = await WorkQueuePolicies.EnsureAsync(
                connection,
                management,
                [.. points.Where(queue => !absent.Contains(queue))],
                cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "Interrupted. What was declared or written by then stays; run it again for the rest.");
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(
                host.Out,
                new TopologyApplyDocument(
                    plan.Exchanges.Count,
                    plan.Queues.Count,
                    plan.Bindings.Count,
                    before.MissingCount,
                    absent,
                    [.. different.Select(found => found.Message)],
                    policies.ToDocument()));
        }
        else
        {
            host.Out.WriteLine($"Declared {TopologyCount.Of(plan)}{(all ? $", for {Printable.Count(points.Count, "retry point")}" : "")}; {Printable.Count(before.MissingCount)} of the exchanges and queues {(before.MissingCount == 1 ? "is" : "are")} new.");
            policies.Write(host);
        }

        foreach (var queue in absent)
        {
            host.Error.WriteLine($"{RetryCtl.Name}: warning: found no queue '{queue}', wanted the work queue of a retry point. If the name is right, start its service, then run this command again: it binds the queue and writes its policy. If the name is wrong, run 'retryctl topology remove --point {queue}', which removes what this command has declared.");
        }

        foreach (var found in different)
        {
            host.Error.WriteLine(found.Message);
        }

        return different.Count == 0 && policies.IsDone ? ExitCode.Done : ExitCode.Finding;
    }

    private sealed class DeclarationProgress(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
