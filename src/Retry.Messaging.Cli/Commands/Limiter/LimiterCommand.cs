using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter</c>: the cap on redeliveries, while everything runs.</summary>
internal static class LimiterCommand
{
    public static Command Create(CliHost host) => new("limiter", "The cap on redeliveries of a point. What an operator sets here wins over the code until 'limiter rate QUEUE --clear'.")
    {
        LimiterRunCommand.Create(host),
        LimiterStatusCommand.Create(host),
        LimiterRateCommand.Create(host),
        LimiterPauseCommand.Create(host),
        LimiterResumeCommand.Create(host),
    };

    public static Argument<string> Queue() => new("QUEUE") { Description = "The work queue.", HelpName = "QUEUE" };

    /// <summary>The work queue that was named.</summary>
    /// <exception cref="UsageException">It cannot be a retry point.</exception>
    public static string QueueOf(string? text) =>
        RetryPointNames.For(text ?? string.Empty).WhyUnusable(hasRelease: true) is { } why ? throw new UsageException(why) : text!;

    /// <summary>What is known of a point.</summary>
    /// <exception cref="UsageException">Nothing: the name is misspelt, or it is the wrong virtual host.</exception>
    public static async Task<LimiterReport> ReadAsync(LimiterControl control, string point, CancellationToken cancellationToken)
    {
        var report = await control.ReadAsync(point, cancellationToken).ConfigureAwait(false);
        return report is { Ready: null, Waiting: null, Setting.Version: 0 }
            ? throw WorkQueue.Missing(point)
            : report;
    }
}
