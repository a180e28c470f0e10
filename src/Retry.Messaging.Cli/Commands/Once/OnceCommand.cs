using System.CommandLine;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once …</c>: the store behind idempotent consumers.</summary>
internal static class OnceCommand
{
    public static Command Create(CliHost host) => new("once", "The keys of idempotent consumers: what has run, and what its store knows of it. Needs no broker.")
    {
        OnceStatsCommand.Create(host),
        OnceShowCommand.Create(host),
        OnceForgetCommand.Create(host),
        OncePruneCommand.Create(host),
        OnceSchemaCommand.Create(host),
    };
}
