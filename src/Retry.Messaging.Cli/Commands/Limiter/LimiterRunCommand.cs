using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Configuration;
using Retry.Messaging.Policies;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter run --point QUEUE</c>: a limiter as a process of its own, until it is interrupted.</summary>
internal static class LimiterRunCommand
{
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    public static Command Create(CliHost host)
    {
        var command = new Command("run", "Runs limiters until interrupted. Any number of processes may run a limiter for a point: one is active, the others stand by.");
        var point = new Option<string[]>("--point") { Description = "The work queue; may be given several times.", HelpName = "QUEUE", AllowMultipleArgumentsPerToken = true, Required = true };
        var rate = new Option<double?>("--rate") { Description = "Messages per second, unless 'limiter rate' has set a rate. Default: the rate in the code of the point's services. Until a service has announced it, nothing is released.", HelpName = "PER_SECOND" };
        var burst = new Option<int>("--burst") { Description = "How many messages may be released at once after a pause.", HelpName = "COUNT", DefaultValueFactory = static _ => RetryDefaults.Burst };
        var prefetch = new Option<int>("--consumer-prefetch") { Description = "How many messages the consumers take in advance.", HelpName = "COUNT", DefaultValueFactory = static _ => 0 };
        command.Options.Add(point);
        command.Options.Add(rate);
        command.Options.Add(burst);
        command.Options.Add(prefetch);
        command.SetAction((parsed, cancellationToken) =>
        {
            var address = GlobalOptions.RequireAddress(parsed, host);
            RedeliveryLimit? limit = null;
            if (parsed.GetValue(rate) is { } perSecond)
            {
                limit = perSecond >= SettingRange.LowestRate && perSecond <= SettingRange.HighestRate
                    && parsed.GetValue(burst) is >= 1 and <= SettingRange.LargestBurst
                    ? new RedeliveryLimit(perSecond, parsed.GetValue(burst))
                    : throw new UsageException(FormattableString.Invariant($"--rate, --burst: found {perSecond} and {parsed.GetValue(burst)}, wanted a rate from 0.000278 (one an hour) to {SettingRange.HighestRate:0} and a burst from 1 to {SettingRange.LargestBurst}."));
            }

            var pulses = new PulseShare(host.Time);
            var options = parsed.GetValue(point)!.Distinct(StringComparer.Ordinal).Select(queue => new LimiterOptions
            {
                Names = RetryPointNames.For(LimiterCommand.QueueOf(queue)),
                Limit = limit,
                KnowsLimit = limit is not null,
                KnowsBudget = false,
                Pulses = pulses,
                ConsumerPrefetch = parsed.GetValue(prefetch),
                ConnectAsync = (prepare, cancellation) => address.ConnectAsync($"{RetryCtl.Name} limiter {queue}", prepare, cancellation),
            });
            var control = new ControlConnection(
                cancellation => address.ConnectAsync($"{RetryCtl.Name} limiter", static factory => factory.AutomaticRecoveryEnabled = false, cancellation),
                [pulses],
                host.Time,
                Random.Shared,
                NullLogger.Instance);
            return RunAsync(host, [.. options], control, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, IReadOnlyList<LimiterOptions> options, ControlConnection control, CancellationToken cancellationToken)
    {
        var limiters = options.Select(one => new RedeliveryLimiter(one, host.Time, Random.Shared, NullLogger.Instance)).ToList();
        var runs = limiters.Select(limiter => limiter.RunAsync(cancellationToken)).Append(control.RunAsync(cancellationToken)).ToList();
        var told = new Dictionary<string, string>();
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var status in limiters.Select(limiter => limiter.Status))
            {
                var line = $"{status.Point}: {status.Activity}{(status.Reason is null ? string.Empty : $" ({status.Reason})")}";
                if (told.GetValueOrDefault(status.Point) != line)
                {
                    told[status.Point] = line;
                    await host.Error.WriteLineAsync(line).ConfigureAwait(false);
                }
            }

            await Task.Delay(LookPause, host.Time, CancellationToken.None).ConfigureAwait(false);
        }

        await Task.WhenAll(runs).ConfigureAwait(false);
        return ExitCode.Done;
    }
}
