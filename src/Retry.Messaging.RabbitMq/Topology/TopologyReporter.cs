using Microsoft.Extensions.Logging;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>Says in the log what is missing of the topology and what is done about it: once for each change, and rarely again.</summary>
internal sealed partial class TopologyReporter(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenReminders = TimeSpan.FromMinutes(10);

    private string? _open;
    private long _saidAt;

    /// <summary>Somebody else manages the topology.</summary>
    /// <param name="seen">What the look saw.</param>
    /// <param name="command">What declares it.</param>
    public void SaySeen(TopologyCondition seen, string command)
    {
        if (seen.Missing.Count == 0)
        {
            SayComplete();
        }
        else if (IsNews(seen.Summary))
        {
            LogMissing(seen.Summary, command);
        }
    }

    /// <summary>What was missing, what still is, and why.</summary>
    public void SayMended(TopologyCondition before, TopologyCondition after, DateTimeOffset? waitsUntil, IReadOnlyList<TopologyException> refusals)
    {
        if (after.Missing.Count == 0)
        {
            if (before.Missing.Count > 0 && _open is null && IsNews(before.Summary))
            {
                LogMended(before.Summary, BrokerNames.LostQueue);
                _open = null;
            }

            SayComplete();
        }
        else if (refusals.Count == 0 && waitsUntil is { } until)
        {
            if (IsNews(after.Summary))
            {
                LogWaits(after.Summary, until);
            }
        }
        else if (IsNews(after.Summary))
        {
            LogRefused(after.Summary, refusals.Count > 0 ? refusals[0].Message : "It was declared, and deleted again at once.");
        }
    }

    /// <summary>Nothing is missing, but the broker refused a declaration: it exists with other properties, or the user may not declare.</summary>
    public void SayRefused(IReadOnlyList<TopologyException> refusals)
    {
        foreach (var difference in refusals.Where(refusal => !refusal.IsForbidden))
        {
            LogDifferent(difference.Message);
        }

        // the same permission is missing for each of them
        if (refusals.FirstOrDefault(refusal => refusal.IsForbidden) is { } forbidden)
        {
            LogForbidden(forbidden.Message);
        }
    }

    /// <summary>The broker did not answer.</summary>
    public void SayUnseen(string reason)
    {
        if (IsNews(reason))
        {
            LogUnseen(reason);
        }
    }

    // the end of a trouble is logged only where its beginning was
    private void SayComplete()
    {
        if (_open is not null)
        {
            LogComplete();
            _open = null;
        }
    }

    // never more than one line a minute, whatever is deleted and declared in turn
    private bool IsNews(string what)
    {
        var elapsed = _saidAt == 0 ? TimeSpan.MaxValue : time.GetElapsedTime(_saidAt);
        if (elapsed < BetweenLines || (what == _open && elapsed < BetweenReminders))
        {
            return false;
        }

        _open = what;
        _saidAt = time.GetTimestamp();
        return true;
    }

    [LoggerMessage(LogEvents.TopologyMended, LogLevel.Warning, "A part of the retry topology was missing and has been declared again: {Missing}. No message is gone: what could not go on stayed in its rung, or is in '{Lost}' (retryctl lost list)")]
    private partial void LogMended(string missing, string lost);

    [LoggerMessage(LogEvents.TopologyWaits, LogLevel.Warning, "All exchanges of the ladder have been deleted. Missing: {Missing}. Messages stay in their rungs, failed ones are held. The ladder is declared again at {Until:u}, when every running service has bound its queues")]
    private partial void LogWaits(string missing, DateTimeOffset until);

    [LoggerMessage(LogEvents.TopologyRefused, LogLevel.Error, "The retry topology is not complete: failed messages are held or, where only a binding is missing, go to " + BrokerNames.LostQueue + ". Missing: {Missing}. {Reason}")]
    private partial void LogRefused(string missing, string reason);

    [LoggerMessage(LogEvents.TopologyMissing, LogLevel.Error, "The retry topology is not complete: failed messages are held or, where only a binding is missing, go to " + BrokerNames.LostQueue + ". Missing: {Missing}. ManageTopology is Verify, so nothing is declared here: run '{Command}'")]
    private partial void LogMissing(string missing, string command);

    [LoggerMessage(LogEvents.TopologyComplete, LogLevel.Information, "The retry topology is complete again")]
    private partial void LogComplete();

    [LoggerMessage(LogEvents.TopologyDiffers, LogLevel.Warning, "The retry topology is not as planned, and is used as it is: {Reason}")]
    private partial void LogDifferent(string reason);

    [LoggerMessage(LogEvents.TopologyForbidden, LogLevel.Warning, "All exchanges and queues of the retry topology are there, but this service has no permission to declare them, and AMQP does not show whether they are bound. {Reason}")]
    private partial void LogForbidden(string reason);

    [LoggerMessage(LogEvents.TopologyUnseen, LogLevel.Warning, "Could not look at the retry topology: {Reason}. The service looks again within a minute")]
    private partial void LogUnseen(string reason);
}
