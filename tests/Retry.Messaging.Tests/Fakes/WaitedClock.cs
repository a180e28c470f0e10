using System.Threading.Channels;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A clock that jumps to whatever is waited for next, so that minutes of waiting take none.</summary>
internal sealed class WaitedClock : TimeProvider
{
    private readonly Channel<Alarm> _alarms = Channel.CreateUnbounded<Alarm>();
    private long _now = TimeSpan.TicksPerDay;
    private Task<Alarm>? _next;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => TimeSpan.FromTicks(_now);

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(() => callback(state), Now + dueTime);
        _alarms.Writer.TryWrite(alarm);
        return alarm;
    }

    /// <summary>Waits until something is waited for.</summary>
    public async Task AskedAsync(TimeSpan deadline) => await TakeNext().WaitAsync(deadline);

    /// <summary>Waits until something is waited for, does what ends that before its time, and waits until it has ended.</summary>
    public async Task InterruptAsync(Func<Task> action, TimeSpan deadline)
    {
        var alarm = await TakeNext().WaitAsync(deadline);
        _next = null;
        await action();
        await alarm.CalledOff.WaitAsync(deadline);
    }

    /// <summary>Waits until something is waited for, and lets the time for it pass.</summary>
    public async Task NextAsync(TimeSpan deadline)
    {
        var alarm = await TakeNext().WaitAsync(deadline);
        _next = null;
        _now = Math.Max(_now, alarm.DueAt.Ticks);
        alarm.Ring();
    }

    /// <summary>Lets time pass until the work is over; it must wait for one thing at a time.</summary>
    public async Task RunAsync(Task work, Func<TimeSpan, Task> passed)
    {
        while (!work.IsCompleted)
        {
            // one that was not waited for to its end is the first of the next run
            await Task.WhenAny(work, TakeNext()).WaitAsync(TimeSpan.FromSeconds(20));
            if (!work.IsCompleted)
            {
                var alarm = await TakeNext();
                _next = null;
                _now = Math.Max(_now, alarm.DueAt.Ticks);
                await passed(Now);
                alarm.Ring();
            }
        }
    }

    private Task<Alarm> TakeNext() => _next ??= _alarms.Reader.ReadAsync().AsTask();

    private sealed class Alarm(Action ring, TimeSpan dueAt) : ITimer
    {
        private readonly TaskCompletionSource _calledOff = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TimeSpan DueAt => dueAt;

        public Task CalledOff => _calledOff.Task;

        public void Ring()
        {
            if (!CalledOff.IsCompleted)
            {
                ring();
            }
        }

        public bool Change(TimeSpan newDueTime, TimeSpan newPeriod) => false;

        public void Dispose() => _calledOff.TrySetResult();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
