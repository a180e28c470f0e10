using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Options;

/// <summary>Conditions that messages must fulfil, all of them.</summary>
internal sealed class ConditionOptions
{
    private readonly Option<string?> _ofQueue = new("--queue") { Description = "Lost on the way to this work queue.", HelpName = "QUEUE" };
    private readonly Option<string?> _reason = new("--reason") { Description = "Parked for this reason: " + string.Join(", ", ParkReason.Known) + ".", HelpName = "REASON" };
    private readonly Option<string?> _exception = new("--exception") { Description = "The type of the last error, or of an exception inside it, contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string?> _type = new("--type") { Description = "The message type's name contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string?> _text = new("--text") { Description = "The last error contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string[]> _header = new("--header") { Description = "A header has exactly this value; may be given several times.", HelpName = "NAME=VALUE", DefaultValueFactory = static _ => [] };
    private readonly Option<string?> _tenant = new("--tenant") { Description = "Messages of this tenant; the setting Tenant of the point says by which header.", HelpName = "TENANT" };
    private readonly Option<string?> _attempts = new("--attempts") { Description = "So many attempts were recorded: 3, 3.. (at least), ..3 (at most) or 3..5.", HelpName = "RANGE" };
    private readonly Option<string?> _group = new("--group") { Description = "A group that --group-by KEY shows, by its ID or name, for example fingerprint=1f3a09cc.", HelpName = "KEY=ID" };
    private readonly Option<string?> _since = new("--since") { Description = "Parked at or after this: a time (2026-11-22T06:00:00Z) or an age (1h30m).", HelpName = "TIME" };
    private readonly Option<string?> _until = new("--until") { Description = "Parked before this: a time or an age.", HelpName = "TIME" };

    /// <summary>Gives a command the conditions.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isOfLost">Whether its messages are the lost ones, which are of many queues and never came to an end.</param>
    public void AddTo(Command command, bool isOfLost)
    {
        _reason.CompletionSources.Add([.. ParkReason.Known.Select(reason => reason.Name)]);
        foreach (var option in isOfLost ? (Option[])[_ofQueue, .. OfAll] : [.. OfAll, _tenant, _attempts, _group])
        {
            command.Options.Add(option);
        }
    }

    private Option[] OfAll => [_reason, _exception, _type, _text, _header, _since, _until];

    /// <summary>The filter that was given; <see cref="ParkedFilter.All"/> without a condition.</summary>
    /// <exception cref="UsageException">A condition makes no sense.</exception>
    public ParkedFilter Of(ParseResult parsed, DateTimeOffset now) => WithAttempts(parsed, ParkedFilter.All with
    {
        WorkQueue = parsed.GetValue(_ofQueue),
        Reason = parsed.GetValue(_reason) is { } reason ? ReasonOf(reason) : null,
        ExceptionType = parsed.GetValue(_exception),
        MessageType = parsed.GetValue(_type),
        Text = parsed.GetValue(_text),
        Headers = HeadersOf(parsed.GetValue(_header) ?? []),
        Since = Time(_since.Name, parsed.GetValue(_since), now),
        Until = Time(_until.Name, parsed.GetValue(_until), now),
        Tenant = parsed.GetValue(_tenant),
        Also = parsed.GetValue(_group) is { } group ? InGroup(group) : null,
    });

    /// <summary>The same as a rule keeps it: an age counts back from each of its runs.</summary>
    /// <exception cref="UsageException">A condition makes no sense.</exception>
    public RuleConditions RuleOf(ParseResult parsed, DateTimeOffset now)
    {
        var filter = Of(parsed, now);
        return new RuleConditions
        {
            Reason = filter.Reason?.Name,
            Exception = filter.ExceptionType,
            Type = filter.MessageType,
            Text = filter.Text,
            Headers = filter.Headers,
            Tenant = filter.Tenant,
            AttemptsFrom = filter.AttemptsFrom,
            AttemptsTo = filter.AttemptsTo,
            Group = parsed.GetValue(_group),
            Since = parsed.GetValue(_since),
            Until = parsed.GetValue(_until),
        };
    }

    private ParkedFilter WithAttempts(ParseResult parsed, ParkedFilter filter)
    {
        if (parsed.GetValue(_attempts) is not { } text)
        {
            return filter;
        }

        var ends = text.Split("..");
        var (from, to) = (NumberOf(ends[0]), NumberOf(ends[^1]));
        return ends.Length <= 2 && (from ?? to) is not null && !(from > to) && ends.All(end => end.Length == 0 || NumberOf(end) is not null)
            ? filter with { AttemptsFrom = from, AttemptsTo = to }
            : throw new UsageException($"{_attempts.Name}: found '{text}', wanted a number of attempts such as 3, 3.., ..3 or 3..5.");
    }

    private static int? NumberOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private Func<ParkedMessage, bool> InGroup(string text) => ParkedGrouping.ConditionOf(text)
        ?? throw new UsageException($"{_group.Name}: found '{text}', wanted KEY=ID with one of {string.Join(", ", ParkedGrouping.Keys)} and an ID as --group-by shows it.");

    private static ParkReason ReasonOf(string text)
    {
        var reason = ParkReason.Parse(text);
        if (reason.IsKnown)
        {
            return reason;
        }

        var meant = Spelling.Closest(text, ParkReason.Known.Select(known => known.Name));
        throw new UsageException($"--reason: found '{text}', wanted one of {string.Join(", ", ParkReason.Known)}.{(meant is null ? "" : $" Did you mean '{meant}'?")}");
    }

    private static ImmutableDictionary<string, string> HeadersOf(string[] texts)
    {
        var headers = ParkedFilter.All.Headers;
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            headers = equals > 0
                ? headers.SetItem(text[..equals], text[(equals + 1)..])
                : throw new UsageException($"--header: found '{text}', wanted NAME=VALUE.");
        }

        return headers;
    }

    private static DateTimeOffset? Time(string option, string? text, DateTimeOffset now) => text is null
        ? null
        : MomentText.Read(text, now) ?? throw new UsageException($"{option}: found '{text}', wanted a time such as 2026-11-22T06:00:00Z or an age such as 1h30m.");
}
