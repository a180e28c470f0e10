using Microsoft.Extensions.Logging;
using Retry.Messaging.Breaker;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>The circuit of this process alone: while it is ill and the target is not, it takes no messages of a point, and tries itself.</summary>
/// <remarks>
/// <list type="number">
/// <item>Whoever judges the target names it (<see cref="ApartDocument"/>), and it closes its intake: the others do the messages.</item>
/// <item>It takes one at a time and lets it begin as a probe, after the pauses of its course (<see cref="ApartCourse"/>).</item>
/// <item>When it is well it opens its intake, and says in its pulse which naming is over.</item>
/// <item>It takes part as well where it is no longer named, nobody has judged for 30 s, or its point has no breaker any more.</item>
/// </list>
/// </remarks>
internal sealed class NodeCircuit : IControlTarget
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ApartCourse _course = new();
    private readonly PointCircuit _circuit;
    private readonly NodeReporter _reporter;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly WakeUp _wake;
    private volatile NodeProbe? _probe;
    private volatile bool _isClosed;
    private ApartNode? _named;
    private volatile bool _isForsaken;
    private bool _isSaid;

    /// <param name="circuit">The circuit of the point.</param>
    /// <param name="health">Where it says that it is set apart.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it says each change.</param>
    public NodeCircuit(PointCircuit circuit, PointHealth health, TimeProvider time, ILogger logger)
    {
        (_circuit, _time, _wake) = (circuit, time, new WakeUp(time));
        _started = time.GetTimestamp();
        _reporter = new NodeReporter(circuit.Queue, health, logger);
        health.Back = () => circuit.Interval is null ? null : Back;
    }

    /// <inheritdoc/>
    public string Queue => _circuit.Queue;

    /// <inheritdoc/>
    public string Kind => ApartDocument.Kind;

    /// <summary>Gets or sets the id of this process in the pulse.</summary>
    public string Node { get; set; } = string.Empty;

    /// <summary>Gets which nodes are set apart, as it was read last.</summary>
    public IReadOnlyList<ApartNode> Apart { get; private set; } = [];

    /// <summary>Gets the number of the last document.</summary>
    public long LatestVersion { get; private set; }

    /// <summary>Gets a value indicating whether this process takes no messages but probes.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Gets a value indicating whether this process is to take no messages but probes.</summary>
    public bool IsApart
    {
        get
        {
            lock (_lock)
            {
                return _course.IsApart && _circuit.Interval is not null;
            }
        }
    }

    /// <summary>Gets why this process is set apart; <see langword="null"/> where it is not.</summary>
    public string? Why => IsApart ? _named?.Why : null;

    /// <summary>Gets or sets what is called when this process is set apart, and when it takes part again.</summary>
    public Action Changed { get; set; } = static () => { };

    private long Back
    {
        get
        {
            lock (_lock)
            {
                return _course.Back;
            }
        }
    }

    private double Now => _time.GetElapsedTime(_started).TotalSeconds;

    /// <inheritdoc/>
    public void Apply(ControlRecord record)
    {
        LatestVersion = record.Version;
        if (ApartDocument.TryRead(record) is not { } document)
        {
            // the next one replaces it
            return;
        }

        Apart = document.Nodes;
        lock (_lock)
        {
            _named = document.Nodes.FirstOrDefault(node => node.Node == Node);
            _isForsaken = false;
            _course.Interval = (_circuit.Interval ?? TimeSpan.Zero).TotalSeconds;
            _course.Name(_named?.Number ?? 0, Now);
        }

        _wake.Set();
    }

    /// <summary>Notes whether somebody judges the target. Who cannot look notes nothing, and all stays as it is.</summary>
    /// <param name="without">For how long nobody has.</param>
    public void Judged(TimeSpan without) => _isForsaken = without >= PointCircuit.Forsaken;

    /// <summary>Asks how a delivery that has come may begin.</summary>
    /// <param name="tag">The tag of its delivery.</param>
    /// <returns>What is told how it ends, where it is a probe; <see langword="null"/> where nothing is set apart.</returns>
    /// <exception cref="OperationCanceledException">It goes back: others do it.</exception>
    public Action<PermitUse>? Enter(ulong tag)
    {
        if (!_isClosed)
        {
            return null;
        }

        return _probe is { } probe && probe.Tag == tag
            ? use => probe.Use = use
            : throw new OperationCanceledException($"This instance is ill and takes no messages of '{Queue}': the message goes back, and has not been consumed.");
    }

    /// <summary>Opens and closes the intake of the point until it is cancelled, or its channel is gone.</summary>
    public async Task RunAsync(IIntake intake, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (IsApart)
                {
                    (_isClosed, _probe) = (true, null);
                    await intake.CloseAsync(cancellationToken).ConfigureAwait(false);
                    await StayApartAsync(intake, cancellationToken).ConfigureAwait(false);
                    _isClosed = false;
                    await intake.OpenAsync(cancellationToken).ConfigureAwait(false);
                }

                await _wake.WaitAsync(Look, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (BrokerFailures.IsGoneOrSilent(exception) || exception is ObjectDisposedException)
        {
            // the endpoint stops, or goes on with another channel
        }
        finally
        {
            _isClosed = false;
        }
    }

    private async Task StayApartAsync(IIntake intake, CancellationToken cancellationToken)
    {
        if (!_isSaid)
        {
            // once, however often the channel is lost meanwhile
            _isSaid = true;
            _reporter.SetApart(_named?.Why, _circuit.Interval);
            Changed();
        }

        var why = "it is no longer named as ill";
        while (IsApart)
        {
            if (_isForsaken)
            {
                why = $"nobody has judged the target for {PointCircuit.Forsaken.TotalSeconds} s";
                lock (_lock)
                {
                    _course.TakePart(Now);
                }
            }
            else if (IsDue())
            {
                why = await TryAsync(intake, cancellationToken).ConfigureAwait(false)
                    ? $"{ApartCourse.Answers} messages in a row were answered"
                    : why;
            }
            else
            {
                await _wake.WaitAsync(Look, cancellationToken).ConfigureAwait(false);
            }
        }

        _isSaid = false;
        _reporter.TakesPart(why);
        Changed();
    }

    private bool IsDue()
    {
        lock (_lock)
        {
            return _course.IsDue(Now) && _circuit.Document.State == CircuitState.Closed;
        }
    }

    private async Task<bool> TryAsync(IIntake intake, CancellationToken cancellationToken)
    {
        var probe = new NodeProbe();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var trying = intake.TakeOneAsync(
            tag =>
            {
                probe.Tag = tag;
                _probe = probe;
            },
            over.Token);
        _ = trying.ContinueWith(_ => _wake.Set(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!trying.IsCompleted && IsApart && !_isForsaken)
        {
            await _wake.WaitAsync(Look, cancellationToken).ConfigureAwait(false);
        }

        if (!trying.IsCompleted)
        {
            // it is no longer asked for; what has begun goes on, and is nobody's answer
            await over.CancelAsync().ConfigureAwait(false);
            await trying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return false;
        }

        await trying.ConfigureAwait(false);
        lock (_lock)
        {
            var was = _course.IsApart;
            _course.Ended(probe.Use?.Answered, probe.Use?.Message ?? string.Empty, Now);
            return was && !_course.IsApart;
        }
    }
}
