using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary>When a rule replays: exactly one of three options says so.</summary>
internal sealed class TriggerOptions
{
    private const int LongestText = 64;
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(10);

    private readonly Option<string?> _cron = new("--cron")
    {
        Description = "At these times: five fields, or six with seconds first, for example '0 3 * * *' for three o'clock each night.",
        HelpName = "EXPRESSION",
    };

    private readonly Option<string?> _zone = new("--zone") { Description = "The time zone of --cron, for example Europe/Berlin. The default is UTC.", HelpName = "ZONE" };
    private readonly Option<string?> _closedFor = new("--closed-for") { Description = "Once the point's circuit, after it was open, has been closed for so long: 5m.", HelpName = "DURATION" };
    private readonly Option<string?> _build = new("--build") { Description = "Once all instances of the point are of this build, as 'nodes' shows it. It replays once.", HelpName = "BUILD" };

    public TriggerOptions(Command command)
    {
        foreach (var option in (Option[])[_cron, _zone, _closedFor, _build])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The trigger that was given.</summary>
    /// <exception cref="UsageException">It is none, or there are several.</exception>
    public RuleTrigger Of(ParseResult parsed)
    {
        var (cron, zone, closedFor, build) = (parsed.GetValue(_cron), parsed.GetValue(_zone), parsed.GetValue(_closedFor), parsed.GetValue(_build));
        var ways = new[] { cron, closedFor, build }.Count(text => text is not null);
        return ways != 1 ? throw new UsageException($"Found {(ways == 0 ? "none" : $"{ways}")} of {_cron.Name}, {_closedFor.Name} and {_build.Name}, wanted one of them.")
            : zone is not null && cron is null ? throw new UsageException($"{_zone.Name}: found without {_cron.Name}, wanted both.")
            : cron is not null ? OfTime(cron, zone)
            : closedFor is not null ? new RuleTrigger { ClosedFor = TimeOf(closedFor) }
            : new RuleTrigger { Build = BuildOf(build!) };
    }

    private RuleTrigger OfTime(string cron, string? zone)
    {
        try
        {
            _ = CronSlots.Parse(cron, zone);
            return new RuleTrigger { Cron = cron, TimeZone = string.IsNullOrWhiteSpace(zone) ? null : zone };
        }
        catch (FormatException exception)
        {
            throw new UsageException($"{_cron.Name}: {exception.Message}");
        }
    }

    private TimeSpan TimeOf(string text) => DurationText.TryParse(text, out var time) && time > TimeSpan.Zero && time <= LongestTime
        ? time
        : throw new UsageException($"{_closedFor.Name}: found '{text}', wanted a duration such as 30s, 5m or 1h, ten days at most.");

    private string BuildOf(string text) => text.Length is > 0 and <= LongestText && !text.StartsWith("--", StringComparison.Ordinal)
        ? text
        : throw new UsageException($"{_build.Name}: found '{(text.Length > LongestText ? $"{text.Length} characters" : text)}', wanted a build as 'retryctl nodes' shows it, {LongestText} characters at most.");
}
