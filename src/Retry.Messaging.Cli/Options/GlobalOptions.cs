using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Cli.Options;

/// <summary>The options of every command.</summary>
internal static class GlobalOptions
{
    private const string BrokerVariable = "RETRY_BROKER";
    private const string ManagementVariable = "RETRY_MANAGEMENT";

    public static readonly Option<string?> Broker = new("--broker")
    {
        Description = $"The broker: amqp(s)://user:password@host:port/vhost. Default: the environment variable {BrokerVariable}.",
        HelpName = "URI",
        Recursive = true,
    };

    public static readonly Option<string?> Management = new("--management")
    {
        Description = $"The management API: http(s)://host:port. It gets the user and password of the broker's address. Default: the environment variable {ManagementVariable}, else the broker's host, port 15672 (15671 with TLS).",
        HelpName = "URI",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "JSON Lines on standard output: one document a line, nothing else there. docs/retryctl.md names the fields.",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Broker);
        root.Options.Add(Management);
        root.Options.Add(Json);
    }

    /// <summary>Opens a connection to the broker that was named.</summary>
    /// <exception cref="UsageException">None was, or not so that it could be read.</exception>
    public static async Task<IConnection> ConnectAsync(ParseResult parsed, CliHost host, CancellationToken cancellationToken) =>
        await RequireAddress(parsed, host).ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);

    /// <summary>The broker that was named.</summary>
    /// <exception cref="UsageException">None was, or not so that it could be read.</exception>
    public static BrokerAddress RequireAddress(ParseResult parsed, CliHost host) =>
        FindAddress(parsed, host) ?? throw new UsageException($"Found no broker address, wanted --broker amqp://user:password@host:port/vhost or the environment variable {BrokerVariable}.");

    /// <summary>The management API that was named, or the one that a broker has unless it is told otherwise. Nothing is asked yet.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static ManagementClient ManagementOf(ParseResult parsed, CliHost host, BrokerAddress broker)
    {
        var option = parsed.GetValue(Management);
        try
        {
            return new ManagementClient(broker, ManagementAddress.Of(broker, option ?? host.Variable(ManagementVariable)));
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{(option is null ? ManagementVariable : "--management")}: {exception.Message}");
        }
    }

    /// <summary>The broker that was named, if one was.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static BrokerAddress? FindAddress(ParseResult parsed, CliHost host)
    {
        var option = parsed.GetValue(Broker);
        var text = option ?? host.Variable(BrokerVariable);
        if (string.IsNullOrWhiteSpace(text))
        {
            return option is null ? null : throw new UsageException("Found an empty --broker, wanted amqp://user:password@host:port/vhost.");
        }

        try
        {
            var address = BrokerAddress.Parse(text);
            if (option is not null && address.HasPassword)
            {
                host.Error.WriteLine($"{RetryCtl.Name}: warning: other users of this machine can see a password on the command line; {BrokerVariable} keeps it from them.");
            }

            return address;
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{(option is null ? BrokerVariable : "--broker")}: {exception.Message}");
        }
    }
}
