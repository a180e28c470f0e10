using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Estates;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Options;

/// <summary>Which parked or lost messages: a work queue, then ids, conditions, or all.</summary>
internal sealed class SelectionOptions
{
    private readonly Argument<string?> _queue = new("QUEUE") { Description = "The work queue (not its parking lot), for example payments.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _errorQueue = new("--queue")
    {
        Description = "Instead of QUEUE: an error queue of a service without this library, for example MassTransit's payments_error or payments_skipped, or any dead-letter queue.",
        HelpName = "ERROR-QUEUE",
    };
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
        selection.AddPlace(command);
        selection.AddConditions(command);
        return selection;
    }

    public static SelectionOptions QueueIdsAndConditions(Command command)
    {
        var selection = new SelectionOptions();
        selection.AddPlace(command);
        command.Arguments.Add(selection._ids);
        command.Options.Add(selection._all);
        selection.AddConditions(command);
        return selection;
    }

    public static SelectionOptions QueueAndIds(Command command)
    {
        var selection = new SelectionOptions();
        selection.AddPlace(command);
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

    /// <summary>What the command works on.</summary>
    /// <exception cref="UsageException">Nothing was named, or something that is none.</exception>
    public ParkedPlace PlaceOf(ParseResult parsed)
    {
        if (parsed.GetValue(_errorQueue) is { } errorQueue)
        {
            // the parser takes the next option for the value that is missing
            var why = errorQueue.StartsWith("--", StringComparison.Ordinal)
                ? $"found '{errorQueue}', wanted the name of an error queue, for example payments_error."
                : ErrorQueues.WhyNot(errorQueue);
            return why is null ? new ParkedPlace(errorQueue, IsErrorQueue: true) : throw new UsageException($"{_errorQueue.Name}: {why}");
        }

        if (parsed.GetValue(_queue) is not { Length: > 0 } queue)
        {
            throw new UsageException("Found no QUEUE, wanted a work queue's name, or --queue with the name of an error queue.");
        }

        if (Encoding.UTF8.GetByteCount(BrokerNames.ParkedQueue(queue)) > BrokerNames.MaxQueueBytes)
        {
            var most = BrokerNames.MaxQueueBytes - Encoding.UTF8.GetByteCount(BrokerNames.ParkedSuffix);
            throw new UsageException($"QUEUE: found a name of {Encoding.UTF8.GetByteCount(queue)} bytes, wanted {most} at most: the parking lot's name is longer.");
        }

        return new ParkedPlace(queue, IsErrorQueue: false);
    }

    /// <summary>The ids that were given: beside --queue, all that stands without an option is one.</summary>
    /// <exception cref="UsageException">One cannot be an id.</exception>
    public string[] Ids(ParseResult parsed)
    {
        var ids = parsed.GetValue(_ids) ?? [];
        if (_isOfLost || parsed.GetValue(_errorQueue) is not { } errorQueue)
        {
            return ids;
        }

        ids = parsed.GetValue(_queue) is { } first ? [first, .. ids] : ids;
        return ids.FirstOrDefault(id => !ErrorQueues.IsId(id)) is { } other
            ? throw new UsageException($"Found '{other}' beside --queue, wanted no QUEUE, and ids as 'retryctl parked list --queue {errorQueue}' shows them.")
            : ids;
    }

    /// <summary>The filter of a command that changes nothing: without a condition, all.</summary>
    public ParkedFilter FilterOf(ParseResult parsed, DateTimeOffset now) =>
        Ids(parsed) is { Length: > 0 } ids ? ParkedFilter.OfIds(ids) : Conditions(parsed, now);

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

    private void AddPlace(Command command)
    {
        command.Arguments.Add(_queue);
        command.Options.Add(_errorQueue);
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
