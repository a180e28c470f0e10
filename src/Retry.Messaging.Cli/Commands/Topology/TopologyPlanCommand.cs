using System.CommandLine;
using System.Globalization;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology plan</c>: what would be declared and, with a broker, what exists already. Changes nothing.</summary>
internal static class TopologyPlanCommand
{
    private const int NarrowestColumn = 30;

    public static Command Create(CliHost host)
    {
        var command = new Command("plan", "Shows what 'apply' declares; with a broker also what exists already. Changes nothing.");
        var points = PointOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, points.PlanOf(parsed), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, TopologyPlan plan, CancellationToken cancellationToken)
    {
        ExistingTopology? existing = null;
        if (GlobalOptions.FindAddress(parsed, host) is { } address)
        {
            var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
            await using var ends = connection.ConfigureAwait(false);
            existing = await ExistingTopology.LookAsync(connection, plan, cancellationToken).ConfigureAwait(false);
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, new TopologyPlanDocument(
                [.. plan.Exchanges.Select(exchange => new PlannedExchangeDocument(exchange.Name, exchange.Type, exchange.Arguments, existing?.Has(exchange)))],
                [.. plan.Queues.Select(queue => new PlannedQueueDocument(queue.Name, queue.Arguments, existing?.Has(queue)))],
                [.. plan.Bindings.Select(binding => new PlannedBindingDocument(binding.Source, binding.Destination, binding.ToQueue ? "queue" : "exchange", binding.RoutingKey))]));
            return ExitCode.Done;
        }

        WriteTable(host, plan, existing);
        return ExitCode.Done;
    }

    private static void WriteTable(CliHost host, TopologyPlan plan, ExistingTopology? existing)
    {
        var table = existing is null ? Tables.Create(host, ["KIND", "NAME"], ["PROPERTIES"]) : Tables.Create(host, ["KIND", "NAME", "STATE"], ["PROPERTIES"]);
        foreach (var exchange in plan.Exchanges)
        {
            Add("exchange", exchange.Name, existing?.Has(exchange), exchange.Type, exchange.Arguments);
        }

        foreach (var queue in plan.Queues)
        {
            Add("queue", queue.Name, existing?.Has(queue), "durable", queue.Arguments);
        }

        Tables.Write(host, table, NarrowestColumn);
        host.Out.WriteLine();
        host.Out.WriteLine($"{TopologyCount.Of(plan)}.{(existing is null ? " Name a broker (--broker) to see what exists there." : $" {Printable.Count(existing.MissingCount)} missing. Bindings and properties were not compared, because AMQP cannot show them. 'retryctl topology verify' compares them.")}");

        void Add(string kind, string name, bool? exists, string type, IReadOnlyDictionary<string, object?> arguments)
        {
            var properties = string.Join(
                ", ",
                arguments.Select(argument => string.Create(CultureInfo.InvariantCulture, $"{argument.Key}={argument.Value}")).Prepend(type));
            if (exists is { } known)
            {
                Tables.AddRow(table, kind, name, known ? "exists" : "missing", properties);
            }
            else
            {
                Tables.AddRow(table, kind, name, properties);
            }
        }
    }
}
