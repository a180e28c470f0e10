using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Topology;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology export [--boot]</c>: the plan as RabbitMQ definitions. Needs no broker.</summary>
internal static class TopologyExportCommand
{
    private const string PasswordVariable = "RETRY_BOOT_PASSWORD";

    public static Command Create(CliHost host)
    {
        var command = new Command("export", "Writes the plan as RabbitMQ definitions (JSON) to standard output; needs no broker.");
        var points = PointOptions.AddTo(command);
        var boot = new Option<bool>("--boot") { Description = "A file that an empty broker boots from (load_definitions), with virtual host and user. Default: definitions for an existing virtual host." };
        var user = new Option<string?>("--boot-user") { Description = $"The administrator in the boot file; the password comes from the environment variable {PasswordVariable}. Default: guest with the password guest, accepted only from the broker's own machine.", HelpName = "NAME" };
        var virtualHost = new Option<string?>("--boot-vhost") { Description = "The virtual host in the boot file. Default: /", HelpName = "NAME" };
        command.Options.Add(boot);
        command.Options.Add(user);
        command.Options.Add(virtualHost);
        command.SetAction(parsed => Run(host, points.PlanOf(parsed), parsed.GetValue(boot), parsed.GetValue(user), parsed.GetValue(virtualHost)));
        return command;
    }

    private static int Run(CliHost host, TopologyPlan plan, bool boot, string? user, string? virtualHost)
    {
        if (!boot && (user ?? virtualHost) is not null)
        {
            throw new UsageException("Found --boot-user or --boot-vhost without --boot, wanted --boot too. Definitions for an existing virtual host contain no user and no virtual host.");
        }

        host.Out.Write(boot ? TopologyExport.ToBoot(
            plan,
            AccountOf(host, user),
            string.IsNullOrEmpty(virtualHost) ? "/" : virtualHost) : TopologyExport.ToVirtualHost(plan));
        foreach (var queue in TopologyExport.BoundElsewhere(plan))
        {
            host.Error.WriteLine($"{RetryCtl.Name}: note: queue '{queue}' belongs to its service and is not exported. A service with ManageTopology OnStart binds it when it starts. For any other service, run '{ApplyCommand.For([queue])}' once the queue exists.");
        }

        return ExitCode.Done;
    }

    private static BootAccount AccountOf(CliHost host, string? user) =>
        string.IsNullOrEmpty(user) ? BootAccount.Default
        : host.Variable(PasswordVariable) is { Length: > 0 } password ? new BootAccount(user, password)
        : throw new UsageException($"--boot-user: found no password for '{user}', wanted one in the environment variable {PasswordVariable}.");
}
