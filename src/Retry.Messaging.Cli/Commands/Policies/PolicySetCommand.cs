using System.CommandLine;
using System.Text.Json;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Operations.Policies;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary><c>policy set QUEUE</c>: another policy, from the next failure on.</summary>
internal static class PolicySetCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "set",
            "Sets how the messages of a point are retried, from the next failure on, on every instance within two seconds. Each setting takes the place of the one set before; what is not set comes from the service. What its code says of exceptions and of single types of message stays. Waits until the instances have said that they apply it; the exit code is 3 where one does not.");
        var queue = LimiterCommand.Queue();
        command.Arguments.Add(queue);
        var options = PolicyOptions.AddTo(command);
        var limit = new Option<double?>("--limit") { Description = "Redeliveries per second, for all instances together. Needs a release queue. The same as 'limiter rate'.", HelpName = "PER_SECOND" };
        var burst = new Option<int?>("--burst") { Description = "How many may be released at once after a pause. Only with --limit.", HelpName = "COUNT" };
        var why = PolicyCommand.Why();
        command.Options.Add(limit);
        command.Options.Add(burst);
        command.Options.Add(why);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var settings = options.Read(parsed);
            var rate = parsed.GetValue(limit) is { } perSecond ? LimitOf(perSecond, parsed.GetValue(burst)) : null;
            var reason = PolicyCommand.WhyOf(parsed, why);
            if (settings.Count == 0 && rate is null)
            {
                throw new UsageException(parsed.GetValue(burst) is null ? "Found no setting, wanted at least one." : "--burst: found without --limit, wanted both.");
            }

            if (OperatorSettings.Read(settings, point).Findings.Where(finding => finding.Severity == FindingSeverity.Error).ToList() is { Count: > 0 } wrong)
            {
                throw new UsageException(string.Join("; ", wrong) + ".");
            }

            return PolicyCommand.RunAsync(host, parsed, point, (policies, limiters, found) => SetAsync(policies, limiters, found), cancellationToken);

            async Task<int> SetAsync(PolicyControl policies, LimiterControl limiters, LimiterReport found)
            {
                var before = await policies.ReadAsync(point, cancellationToken).ConfigureAwait(false);
                if (rate is not null || IsPause(settings) || settings.ContainsKey(OperatorSettings.Budget))
                {
                    RequireReleaseQueue(point, found, before);
                }

                if (rate is not null)
                {
                    await limiters.SetRateAsync(point, rate.PerSecond, rate.Burst, host.Operator, cancellationToken).ConfigureAwait(false);
                }

                var version = settings.Count == 0
                    ? before.Document.Version
                    : await SetSettingsAsync(policies, point, settings, host.Operator, reason, cancellationToken).ConfigureAwait(false);
                return PolicyAnswer.Write(host, parsed, await policies.AppliedAsync(point, version, cancellationToken).ConfigureAwait(false));
            }
        });
        return command;
    }

    private static async Task<long> SetSettingsAsync(
        PolicyControl policies,
        string point,
        IReadOnlyDictionary<string, JsonElement> settings,
        string by,
        string? why,
        CancellationToken cancellationToken)
    {
        try
        {
            return (await policies.SetAsync(point, settings, by, why, cancellationToken).ConfigureAwait(false)).Version;
        }
        catch (RetryConfigurationException exception)
        {
            throw new UsageException($"With what operators have set before: {string.Join("; ", exception.Findings)}.");
        }
    }

    private static bool IsPause(Dictionary<string, JsonElement> settings) =>
        settings.TryGetValue(OperatorSettings.Switch, out var value)
        && Enum.TryParse<RetrySwitch>(value.GetString(), ignoreCase: true, out var on)
        && on == RetrySwitch.Paused;

    private static RedeliveryLimitOption? LimitOf(double perSecond, int? burst) =>
        !(perSecond >= SettingRange.LowestRate && perSecond <= SettingRange.HighestRate)
            ? throw new UsageException(FormattableString.Invariant($"--limit: found {perSecond}, wanted 0.000278 (one an hour) to {SettingRange.HighestRate:0}."))
        : burst is < 1 or > SettingRange.LargestBurst ? throw new UsageException($"--burst: found {burst}, wanted 1 to {SettingRange.LargestBurst}.")
        : new RedeliveryLimitOption(perSecond, burst);

    private static void RequireReleaseQueue(string point, LimiterReport found, PolicyReport report)
    {
        if (found.Waiting is null)
        {
            throw new ControlException($"Found no release queue of '{point}', wanted one for a limit, a budget or a pause: messages wait there. Run 'retryctl topology apply --isolated {point}', and have its service say Isolated() or LimitRedelivery(...).");
        }

        if (report.Served.FirstOrDefault(served => served.HasRelease == false) is not null)
        {
            throw new ControlException($"Found instances that send what comes back past the release queue of '{point}', wanted all of them to use it for a limit, a budget or a pause. Have the endpoint say Isolated() or LimitRedelivery(...), and deploy it.");
        }
    }

    private sealed record RedeliveryLimitOption(double PerSecond, int? Burst);
}
