using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Options;

/// <summary>Which parked or lost messages: a work queue, then ids, conditions, or all.</summary>
internal sealed class SelectionOptions
{
    private readonly Argument<string> _queue = new("QUEUE") { Description = "The work queue (not its parking lot), for example payments." };
    private readonly Argument<string[]> _ids = new("ID") { Description = "Ids of the messages.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<bool> _all = new("--all") { Description = "Every message." };
    private readonly Option<string?> _ofQueue = new("--queue") { Description = "Lost on the way to this work queue.", HelpName = "QUEUE" };
    private readonly Option<string?> _reason = new("--reason") { Description = "Parked for this reason: " + string.Join(", ", ParkReason.Known) + ".", HelpName = "REASON" };
    private readonly Option<string?> _exception = new("--exception") { Description = "The type of the last error, or of an exception inside it, contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string?> _type = new("--type") { Description = "The message type's name contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string?> _text = new("--text") { Description = "The last error contains TEXT, in upper or lower case.", HelpName = "TEXT" };
    private readonly Option<string[]> _header = new("--header") { Description = "A header has exactly this value; may be given several times.", HelpName = "NAME=VALUE", DefaultValueFactory = static _ => [] };
    private readonly Option<string?> _since = new("--since") { Description = "Parked at or after this: a time (2026-11-22T06:00:00Z) or an age (1h30m).", HelpName = "TIME" };
    private readonly Option<string?> _until = new("--until") { Description = "Parked before this: a time or an age.", HelpName = "TIME" };

    private bool _isOfLost;

    public static SelectionOptions QueueAndConditions(Command command)
    {
        var selection = new SelectionOptions();
        command.Arguments.Add(selection._queue);
        selection.AddConditions(command);
        return selection;
    }

    public static SelectionOptions QueueIdsAndConditions(Command command)
    {
        var selection = new SelectionOptions();
        command.Arguments.Add(selection._queue);
        command.Arguments.Add(selection._ids);
        command.Options.Add(selection._all);
        selection.AddConditions(command);
        return selection;
    }

    public static SelectionOptions QueueAndIds(Command command)
    {
        var selection = new SelectionOptions();
        selection._ids.Arity = ArgumentArity.OneOrMore;
        command.Arguments.Add(selection._queue);
        command.Arguments.Add(selection._ids);
        return selection;
    }

    /// <summary>Messages in the lost queue, which is one for all work queues.</summary>
    public static SelectionOptions LostIdsAndConditions(Command command, bool withIds)
    {
        var selection = new SelectionOptions { _isOfLost = true };
        if (withIds)
        {
            command.Arguments.Add(selection._ids);
            command.Options.Add(selection._all);
        }

        command.Options.Add(selection._ofQueue);
        selection.AddConditions(command);
        return selection;
    }

    public string Queue(ParseResult parsed) => parsed.GetRequiredValue(_queue);

    public string[] Ids(ParseResult parsed) => parsed.GetValue(_ids) ?? [];

    /// <summary>The filter of a command that changes nothing: without a condition, all.</summary>
    public ParkedFilter FilterOf(ParseResult parsed, DateTimeOffset now)
    {
        if (!_isOfLost && string.IsNullOrEmpty(Queue(parsed)))
        {
            throw new UsageException("Found an empty QUEUE, wanted a work queue's name.");
        }

        if (!_isOfLost && Encoding.UTF8.GetByteCount(BrokerNames.ParkedQueue(Queue(parsed))) > BrokerNames.MaxQueueBytes)
        {
            var most = BrokerNames.MaxQueueBytes - Encoding.UTF8.GetByteCount(BrokerNames.ParkedSuffix);
            throw new UsageException($"QUEUE: found a name of {Encoding.UTF8.GetByteCount(Queue(parsed))} bytes, wanted {most} at most: the parking lot's name is longer.");
        }

        return Ids(parsed) is { Length: > 0 } ids ? ParkedFilter.OfIds(ids) : Conditions(parsed, now);
    }

    /// <summary>The filter of a command that moves messages: exactly one of ids, conditions and --all must say which.</summary>
    public ParkedFilter ExplicitFilterOf(ParseResult parsed, DateTimeOffset now)
    {
        var filter = FilterOf(parsed, now);
        var conditions = Conditions(parsed, now);
        var ways = (filter.Ids is null ? 0 : 1) + (parsed.GetValue(_all) ? 1 : 0) + (conditions == ParkedFilter.All ? 0 : 1);
        return ways switch
        {
            1 => filter,
            0 => throw new UsageException("Found no choice of messages, wanted ids, a condition such as --reason, or --all."),
            _ => throw new UsageException("Found more than one of ids, conditions and --all, wanted one of them."),
        };
    }

    private void AddConditions(Command command)
    {
        _reason.CompletionSources.Add([.. ParkReason.Known.Select(reason => reason.Name)]);
        foreach (var option in (Option[])[_reason, _exception, _type, _text, _header, _since, _until])
        {
            command.Options.Add(option);
        }
    }

    private ParkedFilter Conditions(ParseResult parsed, DateTimeOffset now) => ParkedFilter.All with
    {
        WorkQueue = _isOfLost ? parsed.GetValue(_ofQueue) : null,
        Reason = parsed.GetValue(_reason) is { } reason ? ReasonOf(reason) : null,
        ExceptionType = parsed.GetValue(_exception),
        MessageType = parsed.GetValue(_type),
        Text = parsed.GetValue(_text),
        Headers = HeadersOf(parsed.GetValue(_header) ?? []),
        Since = Time(_since.Name, parsed.GetValue(_since), now),
        Until = Time(_until.Name, parsed.GetValue(_until), now),
    };

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

    private static DateTimeOffset? Time(string option, string? text, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        if (DurationText.TryParse(text, out var age) && age < now - DateTimeOffset.MinValue)
        {
            return now - age;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new UsageException($"{option}: found '{text}', wanted a time such as 2026-11-22T06:00:00Z or an age such as 1h30m.");
    }
}
