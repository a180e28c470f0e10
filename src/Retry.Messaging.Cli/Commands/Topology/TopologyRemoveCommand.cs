using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Topology;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology remove --point QUEUE | --release QUEUE</c>: what a point that is gone, or its limit, has left behind.</summary>
internal static class TopologyRemoveCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "remove",
            "Removes the queues that a former retry point, or a former limit, has left behind. The ladder and work queues stay. A queue that holds messages is not removed, so none is lost.");
        var point = PointOptions.Queues(
            "--point",
            "A work queue that is no retry point any more, or was named by mistake: removes its parking lot and its release queue. May be given several times.");
        var release = PointOptions.Queues(
            "--release",
            "A work queue whose point has no limit any more: removes only its release queue. May be given several times.");
        var served = new Option<bool>("--served") { Description = "With --point: remove even though the work queue has consumers. Safe only if their code has no graded retry." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        foreach (var option in (Option[])[point, release, served, yes])
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, cancellationToken) =>
        {
            var points = PointOptions.Read(parsed, point, hasRelease: false).ToList();
            var released = PointOptions.Read(parsed, release, hasRelease: true).Except(points).ToList();
            return points.Count + released.Count == 0
                ? throw new UsageException("Found no point, wanted --point QUEUE or --release QUEUE.")
                : RunAsync(host, parsed, points, released, parsed.GetValue(served), parsed.GetValue(yes), cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        IReadOnlyList<string> points,
        IReadOnlyList<string> released,
        bool served,
        bool yes,
        CancellationToken cancellationToken)
    {
        var json = parsed.GetValue(GlobalOptions.Json);
        if (!yes && (json || !host.InIsTerminal))
        {
            throw new UsageException(Question.WhyImpossible(json));
        }

        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var removal = new QueueRemoval(connection, host.Time);
        var queues = new List<(string Queue, RetryPointNames Names)>();
        foreach (var names in points.Select(RetryPointNames.For))
        {
            await FindAsync(names, [names.Release, names.Parked]).ConfigureAwait(false);
        }

        foreach (var names in released.Select(RetryPointNames.For))
        {
            await FindAsync(names, [names.Release]).ConfigureAwait(false);
        }

        // all or nothing, as far as that can be seen before
        if (await WhyNotAsync(connection, removal, queues, served ? [] : points, cancellationToken).ConfigureAwait(false) is { } why)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"{why} Nothing was removed.");
        }

        if (!yes && !await Question.IsAgreedAsync(
            host,
            $"Remove {string.Join(", ", queues.Select(queue => $"'{queue.Queue}'"))}",
            cancellationToken).ConfigureAwait(false))
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
        }

        foreach (var (queue, names) in queues)
        {
            try
            {
                var moved = await removal.RemoveAsync(queue, names, cancellationToken).ConfigureAwait(false);
                Report(host, json, queue, names, moved);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return RetryCtl.Fail(host, ExitCode.Failed, $"Interrupted. Queue '{queue}' is there and bound as before.");
            }
        }

        return ExitCode.Done;

        async Task FindAsync(RetryPointNames names, string[] wanted)
        {
            var found = queues.Count;
            foreach (var queue in wanted)
            {
                if (await removal.ExistsAsync(queue, cancellationToken).ConfigureAwait(false))
                {
                    queues.Add((queue, names));
                }
            }

            if (queues.Count == found)
            {
                throw new UsageException($"Found no queue {string.Join(" and no queue ", wanted.Select(queue => $"'{queue}'"))}, so there is nothing to remove for '{names.Work}'. Check the name and the virtual host.");
            }
        }
    }

    private static async Task<string?> WhyNotAsync(
        IConnection connection,
        QueueRemoval removal,
        IEnumerable<(string Queue, RetryPointNames Names)> queues,
        IEnumerable<string> points,
        CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        foreach (var work in points)
        {
            if (await look.FindQueueAsync(work, cancellationToken).ConfigureAwait(false) is { ConsumerCount: > 0 and var consumers })
            {
                return $"Queue '{work}' has {Printable.Count(consumers)} {(consumers == 1 ? "consumer" : "consumers")}, so its service runs. With graded retry it would park messages that find no parking lot. Stop the service first. If its code has no graded retry, add --served. To remove only the release queue, use '--release {work}'.";
            }
        }

        foreach (var (queue, names) in queues)
        {
            if (await removal.WhyNotAsync(queue, names, cancellationToken).ConfigureAwait(false) is { } why)
            {
                return why;
            }
        }

        return null;
    }

    private static void Report(CliHost host, bool json, string queue, RetryPointNames names, long moved)
    {
        if (json)
        {
            JsonOutput.WriteLine(host.Out, new TopologyRemoveDocument(queue, names.Work, moved));
            return;
        }

        host.Out.WriteLine($"Removed '{queue}'.{(moved > 0 ? $" {Printable.Messages(moved)} that arrived meanwhile {(moved == 1 ? "was" : "were")} sent on." : string.Empty)}");
        if (queue == names.Release)
        {
            host.Out.WriteLine($"Messages that the ladder still brings to this queue go to {BrokerNames.LostQueue}. Run 'retryctl lost replay --queue {names.Work}' to send them to '{names.Work}'.");
        }
    }
}
