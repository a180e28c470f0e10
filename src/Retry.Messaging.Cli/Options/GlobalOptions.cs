using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Cli.Options;

/// <summary>The options of every command.</summary>
internal static class GlobalOptions
{
    private const string BrokerVariable = "RETRY_BROKER";

    public static readonly Option<string?> Broker = new("--broker")
    {
        Description = $"The broker: amqp(s)://user:password@host:port/vhost. Default: the environment variable {BrokerVariable}.",
        HelpName = "URI",
        Recursive = true,
    };

    public static readonly Option<string?> Management = new("--management")
    {
        Description = "The management API's address. Reserved; no command of this version asks it.",
        HelpName = "URI",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "JSON on standard output and nothing else there.",
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
        await (FindAddress(parsed, host) ?? throw new UsageException($"Found no broker, wanted --broker amqp://user:password@host:port/vhost or the environment variable {BrokerVariable}."))
            .ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);

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
