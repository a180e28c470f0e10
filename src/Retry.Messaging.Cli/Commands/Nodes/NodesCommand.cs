using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Nodes;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Cli.Commands.Nodes;

/// <summary><c>nodes</c>: the instances that serve the retry points of the virtual host. Changes nothing.</summary>
internal static class NodesCommand
{
    private const int NarrowestName = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "nodes",
            "Shows the running instances of services with retry points: since when each is UP, its BUILD, and how many POINTS it serves. GONE: it has died or lost its connection, and has not said that it stops; the exit code is then 3, and it is shown for a day at most. ILL: it fails while the others are answered, and takes no messages of a point but to try itself; the exit code is then 3 as well. A process that hangs is there until the broker misses its heartbeats, and a point counts from when its endpoint begins to start.");
        var point = new Argument<string?>("POINT")
        {
            Description = "Only instances that serve this work queue; then each one's policy, prefetch and message types.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        command.Arguments.Add(point);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, parsed.GetValue(point), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string? point, CancellationToken cancellationToken)
    {
        var broker = new OwnConnection(GlobalOptions.RequireAddress(parsed, host), RetryCtl.Name);
        await using var ends = broker.ConfigureAwait(false);
        var connection = await broker.OpenAsync(cancellationToken).ConfigureAwait(false);
        var all = await new NodesReader(connection, host.Time).ReadAsync(cancellationToken).ConfigureAwait(false);
        var nodes = point is null ? all : [.. all.Where(node => node.Points.Any(served => served.Queue == point))];
        if (point is not null && nodes.Count == 0)
        {
            await WorkQueue.RequireAsync(connection, point, cancellationToken).ConfigureAwait(false);
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            foreach (var node in nodes)
            {
                JsonOutput.WriteLine(host.Out, NodeDocument.Of(node));
            }
        }
        else if (nodes.Count == 0)
        {
            host.Out.WriteLine(point is null
                ? "No running instances. A service with graded retry announces itself when it starts."
                : Printable.Wrap(string.Empty, $"No running instance serves {Printable.Line(point)}. 'retryctl nodes' shows all, 'retryctl points' the points.", host.Width));
        }
        else
        {
            WriteTable(host, nodes, point);
        }

        return nodes.All(node => node is { IsThere: true, IsIll: false }) ? ExitCode.Done : ExitCode.Finding;
    }

    private static void WriteTable(CliHost host, IReadOnlyList<NodeSummary> nodes, string? point)
    {
        var table = Tables.Create(host, ["STATE", "UP", "LIBRARY", "POINTS"], ["NODE", "BUILD"]);
        var now = host.Time.GetUtcNow();
        foreach (var node in nodes)
        {
            Tables.AddRow(
                table,
                node switch { { IsThere: false } => "GONE", { IsIll: true } => "ILL", _ => "there" },
                node.IsThere && node.Facts is { } facts ? Printable.Age(now - facts.Started) : "-",
                node.Facts?.Library ?? "-",
                Printable.Count(node.Points.Count),
                node.By,
                node.Facts?.Build ?? "-");
        }

        Tables.Write(host, table, NarrowestName);
        foreach (var node in nodes.Where(node => node.IsIll))
        {
            foreach (var served in node.Points.Where(served => served.Ill is not null && (point is null || served.Queue == point)))
            {
                host.Out.WriteLine(Printable.Wrap($"{Printable.Line(node.By)}: ", $"ill at {Printable.Line(served.Queue)}: {Printable.Line(served.Ill)}", host.Width));
            }
        }

        foreach (var node in nodes.Where(_ => point is not null))
        {
            var served = node.Points.First(one => one.Queue == point);
            host.Out.WriteLine(Printable.Wrap(
                $"{Printable.Line(node.By)}: ",
                $"{Printable.Line(served.Policy ?? "policy not said")}; prefetch {served.Prefetch?.ToString() ?? "not said"}, at once {served.Concurrency?.ToString() ?? "as many as prefetched"}; {Printable.Line(string.Join(", ", served.MessageTypes))}; {Printable.Line(node.Facts?.Framework)}, {Printable.Line(node.Facts?.Runtime)}",
                host.Width));
        }
    }
}
