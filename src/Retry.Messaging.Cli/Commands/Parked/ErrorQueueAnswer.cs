using System.Collections.Concurrent;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What a replay says of an error queue: where its messages went, and which of them stay.</summary>
internal static class ErrorQueueAnswer
{
    /// <summary>Messages by the queue that they go to; <see langword="null"/> where that is not worth a word: those of a parking lot go to its point.</summary>
    public static IReadOnlyDictionary<string, long>? ToQueues(ParkedMove.Verb verb, ParkedPlace place, ParkedTally tally) =>
        place.IsErrorQueue && verb.Action == PlanAction.Replay ? tally.ByQueue : null;

    /// <summary>For example <c>'orders' (2), 'payments' (100)</c> between two other texts; empty where nothing goes anywhere.</summary>
    public static string Destinations(string before, IReadOnlyDictionary<string, long>? queues, string after = "") =>
        queues is { Count: > 0 } ? $"{before}{string.Join(", ", queues.Select(queue => $"{NameOf(queue.Key)} ({Printable.Count(queue.Value)})"))}{after}" : string.Empty;

    /// <summary>Says which messages had nowhere to go, and what to do.</summary>
    /// <returns>The exit code.</returns>
    public static int FailStayed(CliHost host, ParkedPlace place, ConcurrentDictionary<string, long> stayed)
    {
        var missing = stayed.Where(queue => queue.Key.Length > 0).OrderBy(queue => queue.Key, StringComparer.Ordinal).ToList();
        var why = missing.Count == 0
            ? string.Empty
            : $"Found no queue {string.Join(", ", missing.Select(queue => $"'{queue.Key}' for {Printable.Messages(queue.Value)}"))}; they stay in '{place.Name}'. Start the service that owns the queue, then run this command again. ";
        if (stayed.TryGetValue(string.Empty, out var mute))
        {
            why += $"Found {Printable.Messages(mute)} without a word of where {(mute == 1 ? "it" : "they")} failed (MT-Fault-InputAddress, x-death), which {(mute == 1 ? "stays" : "stay")} in '{place.Name}'. See all headers with 'retryctl parked list {place.Typed} --json'.";
        }

        return RetryCtl.Fail(host, ExitCode.Failed, why.TrimEnd());
    }

    private static string NameOf(string queue) => queue.Length == 0 ? "no queue that they name" : $"'{Printable.Line(queue)}'";
}
