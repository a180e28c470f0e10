using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>A limiter's session on a clock that goes on only while the loop waits, from that to the next thing that it waits for.</summary>
/// <remarks>So the loop is never behind the clock, and what it did is read while it waits.</remarks>
internal sealed class SessionInMemory : IDisposable
{
    public static readonly RetryPointNames Names = RetryPointNames.For("orders");

    /// <summary>What the code of the point says.</summary>
    public static readonly RedeliveryLimit Limit = new(PerSecond: 1, Burst: 1);

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new();
    private long _version;

    public SessionInMemory()
    {
        Connection = new LimiterConnectionInMemory(Broker, Clock);
        Monitor = new LimiterMonitor(Names.Work, Clock, NullLogger.Instance);
    }

    /// <summary>Gets the limit of the code of this instance.</summary>
    public RedeliveryLimit? CodeLimit { get; init; } = Limit;

    /// <summary>Gets the retry budget of the code of this instance.</summary>
    public RetryBudget? CodeBudget { get; init; }

    /// <summary>Gets the pulses that the session hears.</summary>
    public PulseShare Pulses { get; } = new(TimeProvider.System);

    public WaitedClock Clock { get; } = new();

    public QueueBroker Broker { get; } = QueueBroker.Create();

    public LimiterConnectionInMemory Connection { get; }

    public LimiterMonitor Monitor { get; }

    /// <summary>Gets the messages that were released, in order.</summary>
    public IEnumerable<string?> Released => Broker.Publishes.Select(published => published.Properties.MessageId);

    /// <summary>Gets the messages that wait in the release queue and are held by nobody, in order.</summary>
    public IReadOnlyList<string> Waiting => Broker.ReadyIn(Names.Release);

    /// <summary>Gets the loop, which ends when the session does.</summary>
    public Task Run { get; private set; } = Task.CompletedTask;

    /// <summary>Gets how many consume the release queue.</summary>
    public uint Consumers => Broker.ConsumersOf(Names.Release);

    /// <summary>Puts messages into the release queue.</summary>
    public void Add(params string[] ids)
    {
        foreach (var id in ids)
        {
            Broker.Add(Names.Release, id);
        }
    }

    /// <summary>Writes an operator's next setting.</summary>
    public void Set(double? perSecond = null, bool paused = false) => Write(LimiterDocument.Write(
        new LimiterSetting { Point = Names.Work, Version = ++_version, PerSecond = perSecond, Paused = paused, By = "ann" }));

    /// <summary>Writes a record into the control log.</summary>
    public void Write(ControlRecord record) => Connection.Control.Append(ControlRecordFormat.Write(record), record.Body);

    public Task<LimiterSession> OpenAsync(LimiterSetting? known = null) => LimiterSession.OpenAsync(
        Connection,
        new LimiterOptions { Names = Names, Limit = CodeLimit, Budget = CodeBudget, Pulses = Pulses, ConnectAsync = (_, _) => throw new NotSupportedException() },
        known,
        Monitor,
        Clock,
        CancellationToken.None).WaitAsync(Deadline);

    /// <summary>Starts the loop, and returns when it waits for the first time.</summary>
    public async Task RunAsync(LimiterSession session)
    {
        Run = session.RunAsync(_stop.Token);
        await WaitsAsync();
    }

    /// <summary>Opens a session whose release queue has these messages, and starts the loop.</summary>
    public async Task StartAsync(params string[] ids)
    {
        Broker.Declare(Names.Release);
        Add(ids);
        await RunAsync(await OpenAsync());
    }

    /// <summary>Does something that wakes the loop, and returns when it waits again or has ended.</summary>
    public Task DoAsync(Action action) => DoAsync(() =>
    {
        action();
        return Task.CompletedTask;
    });

    /// <inheritdoc cref="DoAsync(Action)"/>
    public async Task DoAsync(Func<Task> action)
    {
        await Clock.InterruptAsync(action, Deadline);
        await WaitsAsync();
    }

    /// <summary>Cancels the session.</summary>
    public Task CancelAsync() => DoAsync(_stop.CancelAsync);

    /// <summary>Lets time pass until a condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var latest = Clock.Now + TimeSpan.FromMinutes(1);
        while (!condition())
        {
            Run.IsCompleted.ShouldBeFalse($"the session ended: {Run.Exception}");
            Clock.Now.ShouldBeLessThan(latest, "a minute passed, and it did not happen");
            await Clock.NextAsync(Deadline);
            await WaitsAsync();
        }
    }

    /// <summary>Lets so much time pass, and a little more when the loop waits for something later.</summary>
    public Task PassAsync(TimeSpan time)
    {
        var until = Clock.Now + time;
        return UntilAsync(() => Clock.Now >= until);
    }

    public void Dispose() => _stop.Dispose();

    private async Task WaitsAsync()
    {
        var waits = Clock.AskedAsync(Deadline);
        if (await Task.WhenAny(Run, waits) == waits)
        {
            await waits;
        }
    }
}
