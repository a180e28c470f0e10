using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Says in the log what an instance does about recurring messages, when it changes.</summary>
internal sealed partial class RecurrenceReporter(TimeProvider time, ILogger logger)
{
    private readonly OncePer _down = new(TimeSpan.FromMinutes(1), time);
    private readonly ConcurrentDictionary<string, string> _unreadable = new(StringComparer.Ordinal);

    /// <summary>It is this one that sends.</summary>
    public void HasTurn() => LogTurn();

    /// <summary>It cannot take part.</summary>
    public void IsDown(string reason)
    {
        if (_down.IsTime())
        {
            LogDown(reason.TrimEnd('.'));
        }
    }

    /// <summary>Looks at a recurrence that it is to send.</summary>
    public void Reads(RecurrenceState state)
    {
        if (state.WhyUnreadable is not { } why)
        {
            _unreadable.TryRemove(state.Name, out _);
        }
        else if (_unreadable.GetValueOrDefault(state.Name) != why)
        {
            _unreadable[state.Name] = why;
            LogUnreadable(state.Name, why);
        }
    }

    /// <summary>Slots were sent.</summary>
    public void Sent(string name, int count) => LogSent(name, count);

    /// <summary>Another instance decided the same slots.</summary>
    public void WasOvertaken(string name) => LogOvertaken(name);

    [LoggerMessage(EventId = LogEvents.RecurringTurn, Level = LogLevel.Information, Message = "This instance sends the recurring messages of the virtual host now, where there are any.")]
    private partial void LogTurn();

    [LoggerMessage(EventId = LogEvents.RecurringDown, Level = LogLevel.Warning, Message = "Recurring messages are not sent from here: {Reason}. It is tried again; another instance sends them meanwhile, if one runs.")]
    private partial void LogDown(string reason);

    [LoggerMessage(EventId = LogEvents.RecurrenceUnreadable, Level = LogLevel.Error, Message = "Recurrence '{Name}' is not sent. {Why} Schedule it again from the service that it belongs to, or give this machine what it lacks.")]
    private partial void LogUnreadable(string name, string why);

    [LoggerMessage(EventId = LogEvents.RecurrenceSent, Level = LogLevel.Debug, Message = "Recurrence '{Name}': {Count} sent.")]
    private partial void LogSent(string name, int count);

    [LoggerMessage(EventId = LogEvents.RecurrenceOvertaken, Level = LogLevel.Warning, Message = "Recurrence '{Name}': another instance recorded its slots first. Its consumer may have got a copy, with the same message id.")]
    private partial void LogOvertaken(string name);
}
