namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What the settings and the code say against releasing messages.</summary>
/// <param name="Activity">What it is then.</param>
/// <param name="Reason">Why, for people.</param>
internal readonly record struct LimiterRest(LimiterActivity Activity, string Reason)
{
    /// <summary>Decides.</summary>
    /// <param name="point">The point.</param>
    /// <param name="settings">What the control log says.</param>
    /// <param name="isLimitKnown">Whether the code or an operator has said how fast messages may be released.</param>
    /// <returns><see langword="null"/> when messages may be released.</returns>
    public static LimiterRest? Of(string point, LimiterSettings settings, bool isLimitKnown)
    {
        if (settings.WhyUnreadable is { } unreadable)
        {
            return new(LimiterActivity.Down, unreadable);
        }

        if (settings.LastReadable is { Paused: true } paused)
        {
            return new(LimiterActivity.Paused, $"paused by {paused.By}; 'retryctl limiter resume {point}' ends it");
        }

        if (settings.PausedBy is { } by)
        {
            return new(LimiterActivity.Paused, $"paused, with the whole point, by {by}; 'retryctl policy set {point} --switch On' ends it");
        }

        return isLimitKnown
            ? null
            : new(
                LimiterActivity.Down,
                $"no service has said yet how fast its messages may be released, and no operator either. Run 'retryctl limiter rate {point} PER_SECOND'");
    }
}
