using Microsoft.Extensions.Logging;
using Retry.Messaging.Naming;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Says in the log what a dispatcher does, when it changes, and what it could not dispatch.</summary>
internal sealed partial class DispatchReporter(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly OncePer _down = new(BetweenLines, time);
    private readonly OncePer _lost = new(BetweenLines, time);
    private readonly OncePer _early = new(BetweenLines, time);
    private readonly OncePer _waits = new(BetweenLines, time);
    private readonly OncePer _unknown = new(BetweenLines, time);
    private volatile DispatchStatus _status = new(DispatchActivity.Down, time.GetUtcNow(), null);
    private volatile string? _unknownCancels;
    private long _held;
    private long _movedAt;
    private long _lostCount;
    private long _earlyCount;
    private long _waitCount;

    /// <summary>Gets what it does.</summary>
    public DispatchStatus Status => _status;

    /// <summary>Gets the labels of its metrics.</summary>
    public KeyValuePair<string, object?>[] Labels { get; private set; } = [];

    /// <summary>Gets what does not go well, or <see langword="null"/>: it is down for some time, what it holds does not get on, or it does not know what is cancelled.</summary>
    public string? Trouble => _unknownCancels ?? _status switch
    {
        { Activity: DispatchActivity.Down } down when time.GetUtcNow() - down.Since >= Patience =>
            $"This process dispatches no scheduled messages since {down.Since:u}: {down.Reason ?? "it has not been connected yet"}",
        { Activity: DispatchActivity.Active } when Interlocked.Read(ref _held) is > 0 and var held
            && time.GetElapsedTime(Interlocked.Read(ref _movedAt)) >= Patience =>
            $"The dispatcher of scheduled messages holds {held} and has handed over none for {Patience.TotalSeconds:0} s. Its log says why; 'rabbitmqctl list_alarms' tells of an alarm.",
        _ => null,
    };

    /// <summary>It has a connection.</summary>
    public void Connected(string cluster, string virtualHost) => Labels = ScheduleMetrics.Labels(cluster, virtualHost);

    /// <summary>It is connected, and in line for the queue.</summary>
    public void StandsBy()
    {
        Interlocked.Exchange(ref _held, 0);
        Is(DispatchActivity.StandingBy, null);
        LogStandsBy(BrokerNames.ScheduleQueue);
    }

    /// <summary>It was given a message.</summary>
    public void IsActive()
    {
        if (Interlocked.Increment(ref _held) == 1)
        {
            Interlocked.Exchange(ref _movedAt, time.GetTimestamp());
        }

        if (_status.Activity != DispatchActivity.Active)
        {
            Is(DispatchActivity.Active, null);
            LogActive(BrokerNames.ScheduleQueue);
        }
    }

    /// <summary>A message that it was given is somewhere else now.</summary>
    public void Moved()
    {
        Interlocked.Decrement(ref _held);
        Interlocked.Exchange(ref _movedAt, time.GetTimestamp());
    }

    /// <summary>A message reached its destination.</summary>
    public void Delivered(DateTimeOffset dueAt) => ScheduleMetrics.Delivered(Labels, time.GetUtcNow() - dueAt);

    /// <summary>It has no connection, or no queue; <see langword="null"/> where it was asked to end.</summary>
    public void IsDown(string? reason)
    {
        if (reason is not null && _status.Activity != DispatchActivity.Down)
        {
            Is(DispatchActivity.Down, reason);
        }

        if (reason is not null && _down.IsTime())
        {
            LogDown(reason.TrimEnd('.'));
        }
    }

    /// <summary>A message had no way to where it goes.</summary>
    public void Lost(string cause)
    {
        ScheduleMetrics.Dispatched(Labels, "lost");
        var count = Interlocked.Increment(ref _lostCount);
        if (_lost.IsTime())
        {
            LogLost(cause, BrokerNames.LostQueue, count);
        }
    }

    /// <summary>A message came off the ladder before its time.</summary>
    public void CameEarly(TimeSpan rest)
    {
        var count = Interlocked.Increment(ref _earlyCount);
        if (_early.IsTime())
        {
            LogEarly(rest, count);
        }
    }

    /// <summary>A destination refused a message, or did not confirm it in time.</summary>
    public void Waits(string cause)
    {
        ScheduleMetrics.Dispatched(Labels, "again");
        var count = Interlocked.Increment(ref _waitCount);
        if (_waits.IsTime())
        {
            LogWaits(cause.TrimEnd('.'), count);
        }
    }

    /// <summary>Nothing is dispatched, since nobody knows what has been cancelled.</summary>
    public void WaitsForCancelled(string reason)
    {
        _unknownCancels = $"Scheduled messages wait, because it is not known what has been cancelled: {reason.TrimEnd('.')}.";
        if (_unknown.IsTime())
        {
            LogUnknown(reason.TrimEnd('.'));
        }
    }

    /// <summary>It is known what has been cancelled.</summary>
    public void KnowsCancelled() => _unknownCancels = null;

    private void Is(DispatchActivity activity, string? reason) => _status = new(activity, time.GetUtcNow(), reason);

    [LoggerMessage(LogEvents.DispatcherDown, LogLevel.Warning, "This process dispatches no scheduled messages: {Reason}. They wait in the broker; another process may have them. It tries again by itself")]
    private partial void LogDown(string reason);

    [LoggerMessage(LogEvents.DispatcherStandingBy, LogLevel.Information, "The dispatcher of scheduled messages stands by at '{Queue}'")]
    private partial void LogStandsBy(string queue);

    [LoggerMessage(LogEvents.DispatcherActive, LogLevel.Information, "This process dispatches the scheduled messages of '{Queue}' now")]
    private partial void LogActive(string queue);

    [LoggerMessage(LogEvents.ScheduledWentAsLost, LogLevel.Error, "A scheduled message could not be delivered when it was due: {Cause} It is in '{Lost}' (retryctl lost list). So far: {Count}")]
    private partial void LogLost(string cause, string lost, long count);

    [LoggerMessage(LogEvents.ScheduledCameEarly, LogLevel.Warning, "A scheduled message came {Rest} before it was due and climbs again; so far: {Count}. Something cuts the delays short, for example a message-ttl policy that fits the ladder's queues: run 'retryctl topology verify'.")]
    private partial void LogEarly(TimeSpan rest, long count);

    [LoggerMessage(LogEvents.ScheduledWaits, LogLevel.Warning, "A scheduled message could not be handed over when it was due, and is tried again in some seconds: {Cause}. So far: {Count}")]
    private partial void LogWaits(string cause, long count);

    [LoggerMessage(LogEvents.CancelledUnknown, LogLevel.Warning, "Scheduled messages that can be cancelled wait, because it is not known what has been cancelled: {Reason}. They go on as soon as it is")]
    private partial void LogUnknown(string reason);
}
