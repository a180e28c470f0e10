using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Policies;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary><c>policy</c>: how a point's messages are retried, while its service runs.</summary>
internal static class PolicyCommand
{
    public static Command Create(CliHost host) => new(
        "policy",
        "How the messages of a point are retried. What an operator sets wins over appsettings and code, on every instance within two seconds and over restarts, until 'policy clear'.")
    {
        PolicyShowCommand.Create(host),
        PolicySetCommand.Create(host),
        PolicyClearCommand.Create(host),
    };

    public static Option<string?> Why() => new("--why") { Description = $"Why, for those who wonder later. At most {PolicyControl.LongestReason} characters.", HelpName = "TEXT" };

    /// <summary>The reason that was given.</summary>
    /// <exception cref="UsageException">It is too long.</exception>
    public static string? WhyOf(ParseResult parsed, Option<string?> why) => parsed.GetValue(why) is { Length: > PolicyControl.LongestReason } text
        ? throw new UsageException($"--why: found {text.Length} characters, wanted {PolicyControl.LongestReason} at most.")
        : parsed.GetValue(why);

    /// <summary>Runs with a connection and a work queue that exists.</summary>
    public static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        string point,
        Func<PolicyControl, LimiterControl, LimiterReport, Task<int>> run,
        CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var limiters = new LimiterControl(connection, host.Time);
        var limiter = await LimiterCommand.ReadAsync(limiters, point, cancellationToken).ConfigureAwait(false);
        return await run(new PolicyControl(connection, host.Time), limiters, limiter).ConfigureAwait(false);
    }
}
