using System.CommandLine;
using System.Text;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Estates;
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
    private readonly Argument<string?> _adopted = new("ERROR-QUEUE") { Description = "The error queue, for example payments_error." };
    private readonly Option<bool> _archived = new("--archived") { Description = "Of what was archived, instead of the parking lot." };
    private readonly ConditionOptions _conditions = new();

    private bool _isOfLost;
    private bool _isOfArchive;
    private bool _isOfErrorQueue;

    public static SelectionOptions QueueAndConditions(Command command)
    {
        var selection = new SelectionOptions();
        selection.AddPlace(command);
        selection._conditions.AddTo(command, selection._isOfLost);
        return selection;
    }

    public static SelectionOptions QueueIdsAndConditions(Command command)
    {
        var selection = new SelectionOptions();
        selection.AddPlace(command);
        command.Arguments.Add(selection._ids);
        command.Options.Add(selection._all);
        selection._conditions.AddTo(command, selection._isOfLost);
        return selection;
    }

    /// <summary>Messages of a parking lot, or of an archive; never of an error queue.</summary>
    public static SelectionOptions OfPoint(Command command, bool isOfArchive)
    {
        var selection = new SelectionOptions { _isOfArchive = isOfArchive };
        command.Arguments.Add(selection._queue);
        command.Arguments.Add(selection._ids);
        command.Options.Add(selection._all);
        selection._conditions.AddTo(command, isOfLost: false);
        return selection;
    }

    /// <summary>Messages of an error queue: all, or those that fulfil conditions.</summary>
    public static SelectionOptions OfErrorQueue(Command command)
    {
        var selection = new SelectionOptions { _isOfErrorQueue = true };
        command.Arguments.Add(selection._adopted);
        selection._conditions.AddTo(command, isOfLost: false);
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

        selection._conditions.AddTo(command, selection._isOfLost);
        return selection;
    }

    /// <summary>What the command works on.</summary>
    /// <exception cref="UsageException">Nothing was named, or something that is none.</exception>
    public ParkedPlace PlaceOf(ParseResult parsed)
    {
        if ((_isOfErrorQueue ? parsed.GetValue(_adopted) : parsed.GetValue(_errorQueue)) is { } errorQueue)
        {
            if (parsed.GetValue(_archived))
            {
                throw new UsageException($"Found {_archived.Name} beside {_errorQueue.Name}, wanted one of them.");
            }

            // the parser takes the next option for the value that is missing
            var why = errorQueue.StartsWith("--", StringComparison.Ordinal)
                ? $"found '{errorQueue}', wanted the name of an error queue, for example payments_error."
                : ErrorQueues.WhyNot(errorQueue);
            return why is null ? new ParkedPlace(errorQueue, IsErrorQueue: true) : throw new UsageException($"{(_isOfErrorQueue ? _adopted.Name : _errorQueue.Name)}: {why}");
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

        return new ParkedPlace(queue, IsErrorQueue: false, _isOfArchive || parsed.GetValue(_archived));
    }

    /// <summary>The ids that were given: beside --queue, all that stands without an option is one.</summary>
    /// <exception cref="UsageException">One cannot be an id.</exception>
    public string[] Ids(ParseResult parsed)
    {
        var ids = parsed.GetValue(_ids) ?? [];
        if (_isOfLost || _isOfErrorQueue || parsed.GetValue(_errorQueue) is not { } errorQueue)
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
        Ids(parsed) is { Length: > 0 } ids ? ParkedFilter.OfIds(ids) : _conditions.Of(parsed, now);

    /// <summary>The filter of a command that moves messages: exactly one of ids, conditions and --all must say which.</summary>
    public ParkedFilter ExplicitFilterOf(ParseResult parsed, DateTimeOffset now)
    {
        var filter = FilterOf(parsed, now);
        if (_isOfErrorQueue)
        {
            return filter;
        }

        var conditions = _conditions.Of(parsed, now);
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
        command.Options.Add(_archived);
    }
}
