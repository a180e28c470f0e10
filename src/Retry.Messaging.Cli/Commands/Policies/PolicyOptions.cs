using System.CommandLine;
using System.Text.Json;
using Retry.Messaging.Configuration;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>The settings of a policy as options: each is named as in appsettings, and read as there.</summary>
internal sealed class PolicyOptions
{
    private readonly Dictionary<string, Option<string?>> _single = new(StringComparer.Ordinal)
    {
        ["Policy"] = Single("--policy", "Exponential, Linear, Fixed, Intervals or Immediate. Another kind begins without what was set for the last.", "KIND"),
        ["First"] = Single("--first", "The delay before the first retry of Exponential and Linear, for example 5s.", "TIME"),
        ["Factor"] = Single("--factor", "What each delay of Exponential is multiplied by.", "NUMBER"),
        ["Increment"] = Single("--increment", "What each delay of Linear grows by.", "TIME"),
        ["Delay"] = Single("--delay", "The delay of Fixed.", "TIME"),
        ["Max"] = Single("--max", "The longest delay of Exponential and Linear.", "TIME"),
        ["Retries"] = Single("--retries", $"How many attempts may follow the first; 0 for none, {RetryCount.UntilExpiredText} for as many as fit.", "COUNT"),
        ["Jitter"] = Single("--jitter", "None, Full, Equal or Decorrelated.", "KIND"),
        ["ValidFor"] = Single("--valid-for", "How long after its first failure a message is retried. What a message carries already only shrinks.", "TIME"),
        ["AttemptTimeout"] = Single("--attempt-timeout", "How long one attempt may take.", "TIME"),
        ["ReleasableWithin"] = Single("--releasable-within", "After what time a message that waits comes by, for 'delayed release'; holds for what fails from now on.", "TIME"),
        [OperatorSettings.Switch] = Single("--switch", "On; Paused: what fails climbs and then waits in the release queue, fresh messages run; Off: what fails is parked at once. Default: On.", "STATE"),
        ["DeliveriesPerSecond"] = Single("--deliveries-per-second", "How many messages may begin in a second, first deliveries included, over all instances. Default: as many as come.", "NUMBER"),
        ["DeliveryBurst"] = Single("--delivery-burst", $"How many may begin at once after a pause. Default: {RetryDefaults.Burst}. Only with a rate.", "COUNT"),
        [OperatorSettings.Budget] = Single("--retry-budget", "How many retries may flow back for each attempt that succeeds, for all instances together, for example 0.2. Needs a release queue. Default: as many as come.", "SHARE"),
        [OperatorSettings.BudgetFloor] = Single("--retry-budget-floor", "Retries per second that flow however few succeed. Only with a budget. Default: 1.", "PER_SECOND"),
        ["Breaker"] = Single("--breaker", "true: all instances stop calling a target that is ill. false, the default: they do not.", "FLAG"),
        ["BreakerInterval"] = Single("--breaker-interval", "How often an ill target is tried with one message. Default: 5s.", "TIME"),
    };

    private readonly Option<string[]> _intervals = new("--intervals")
    {
        Description = "The delays of Intervals, one by one, for example 30s 2m 10m.",
        HelpName = "TIME",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Adds them to a command.</summary>
    public static PolicyOptions AddTo(Command command)
    {
        var options = new PolicyOptions();
        foreach (var option in options._single.Values)
        {
            command.Options.Add(option);
        }

        command.Options.Add(options._intervals);
        return options;
    }

    /// <summary>What was given.</summary>
    public Dictionary<string, JsonElement> Read(ParseResult parsed)
    {
        var settings = _single.Where(option => parsed.GetResult(option.Value) is not null)
            .ToDictionary(option => option.Key, option => JsonSerializer.SerializeToElement(parsed.GetValue(option.Value)), StringComparer.Ordinal);
        if (parsed.GetValue(_intervals) is { Length: > 0 } intervals)
        {
            settings["Intervals"] = JsonSerializer.SerializeToElement(intervals);
        }

        return settings;
    }

    private static Option<string?> Single(string name, string description, string value) => new(name) { Description = description, HelpName = value };
}
