using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Knows which limit the code asks for, tells it to the other processes, and tells people what the limiter does.</summary>
internal sealed class LimiterAnnouncer(LimiterOptions options, LimiterSettings settings, LimiterMonitor monitor, Announcements announcements, TimeProvider time)
{
    // announcements are kept for a day, and an operator asks on the second one, too
    private static readonly TimeSpan AnnouncedAgain = TimeSpan.FromHours(1);

    // not at once: on 3.10 a stream that others have just declared, at the start of all on a fresh broker, ends connections (541)
    private static readonly TimeSpan SaysAfter = TimeSpan.FromSeconds(5);

    // what it waits for changes all the time, and people look at it now and then
    private static readonly TimeSpan HeldBackAgain = TimeSpan.FromSeconds(15);

    private readonly long _opened = time.GetTimestamp();
    private long _announced;
    private bool _hasSaid;
    private string? _saidHeldBack;

    /// <summary>Gets or sets the control log.</summary>
    public ControlLog? Log { get; set; }

    /// <summary>Gets or sets a value indicating whether the release queue had no consumer when this limiter came.</summary>
    public bool StoodAlone { get; set; }

    /// <summary>Gets the rate that the code asks for.</summary>
    /// <remarks>
    /// A process that has no limit obeys one that another instance has said later: a limit that is being deployed holds from the first
    /// instance on.
    /// </remarks>
    public RedeliveryLimit? CodeLimit => options.KnowsLimit && options.Limit is { } own ? own : settings.Code?.Limit;

    /// <summary>Gets the retry budget that the code asks for, by the same rule.</summary>
    public RetryBudget? CodeBudget => options.Budget ?? settings.Code?.Budget;

    /// <summary>Gets a value indicating whether the code or an operator has said how fast messages may be released.</summary>
    public bool IsLimitKnown => options.KnowsLimit || settings.Code is not null || settings.LastReadable.PerSecond is not null;

    /// <summary>The limiter was given its first message: it is the active one.</summary>
    public void BecameActive() => _ = SayAsync(active: true);

    /// <summary>Says what has to be said now, if anything; called now and then.</summary>
    public void LookAfter(bool active, bool consumes)
    {
        if (!_hasSaid && time.GetElapsedTime(_opened) > SaysAfter)
        {
            // a limiter that stands in line alone is the active one before the first message comes
            _ = SayAsync(active: StoodAlone && consumes);
        }
        else if (active && (time.GetElapsedTime(_announced) > AnnouncedAgain
            || (time.GetElapsedTime(_announced) > HeldBackAgain && KindOf(monitor.HeldBack) != KindOf(_saidHeldBack))))
        {
            _ = AnnounceAsync(active: true);
        }
    }

    // numbers stand behind the colon
    private static string? KindOf(string? reason) => reason?.Split(':')[0];

    private async Task SayAsync(bool active)
    {
        _hasSaid = true;
        _announced = time.GetTimestamp();
        await SayCodeAsync().ConfigureAwait(false);
        await AnnounceAsync(active).ConfigureAwait(false);
    }

    // A process without a limit of its own goes by what is said here. Two versions of the code may disagree: then the last to
    // start is right, so it is said once, not after each lost connection.
    private async Task SayCodeAsync()
    {
        var budget = options.KnowsBudget ? options.Budget : settings.Code?.Budget;
        if (!options.KnowsLimit || (settings.Code is { } said && ((said.Limit == options.Limit && said.Budget == budget) || monitor.HasSaidCode)))
        {
            return;
        }

        try
        {
            var code = new LimiterCode(options.Names.Work, options.Limit) { Budget = budget };
            await Log!.AppendAsync(
                LimiterDocument.Write(code, settings.NextCodeVersion, options.Instance, time.GetUtcNow()),
                CancellationToken.None).ConfigureAwait(false);
            monitor.HasSaidCode = true;
        }
        catch (Exception exception) when (exception is ControlException || BrokerFailures.IsGone(exception))
        {
            // The connection is gone, or the user may not write it. A process that does not know the limit releases nothing.
        }
    }

    // for people only: nothing depends on it
    private async Task AnnounceAsync(bool active)
    {
        _announced = time.GetTimestamp();
        try
        {
            _saidHeldBack = monitor.HeldBack;
            var self = new LimiterNode(options.Names.Work, options.Instance, active, CodeLimit, time.GetUtcNow()) { HeldBack = _saidHeldBack };
            await announcements.SayAsync(LimiterDocument.Write(self), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ControlException || BrokerFailures.IsGone(exception))
        {
            // the connection is gone, or the user may not write it; the limiter says of itself elsewhere what it does
        }
    }
}
