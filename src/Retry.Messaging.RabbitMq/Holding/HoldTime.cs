using System.Globalization;
using System.Text.RegularExpressions;

namespace Retry.Messaging.RabbitMq.Holding;

/// <summary>How long the deliveries of a point may be held unacknowledged before they are given back.</summary>
/// <remarks>
/// The broker takes a delivery away that was held for longer than its consumer timeout: 30 minutes by default, less where it was set to
/// less. AMQP does not show it. So it comes, in this order, from the setting, from the management API, or from the broker's own
/// words when it closed a channel for it. A number that the broker has acted on wins over any higher one.
/// </remarks>
/// <param name="setting">What the setting <c>ConsumerTimeout</c> says; <see langword="null"/> where it is not set.</param>
internal sealed partial class HoldTime(TimeSpan? setting = null)
{
    /// <summary>The part of the consumer timeout after which a delivery is given back.</summary>
    public const double Share = 0.6;

    /// <summary>How long a delivery is held where the consumer timeout is not known.</summary>
    public static readonly TimeSpan Unknown = TimeSpan.FromMinutes(20);

    // in ticks; zero where nothing is known
    private long _shown;
    private long _felt;

    /// <summary>The broker's consumer timeout; <see langword="null"/> where it is not known.</summary>
    public TimeSpan? ConsumerTimeout => (setting ?? Known(ref _shown), Known(ref _felt)) switch
    {
        ({ } said, { } felt) => said < felt ? said : felt,
        var (said, felt) => said ?? felt,
    };

    /// <summary>How long a delivery is held at most, from its arrival.</summary>
    public TimeSpan Limit => ConsumerTimeout * Share ?? Unknown;

    /// <summary>Notes what the management API shows.</summary>
    /// <param name="timeout">The consumer timeout; <see langword="null"/> where it shows none.</param>
    public void Shows(TimeSpan? timeout) => Interlocked.Exchange(ref _shown, timeout?.Ticks ?? 0);

    /// <summary>Reads why the broker closed a channel, and notes the consumer timeout if it was for that.</summary>
    /// <param name="reason">The broker's words.</param>
    public void Feels(string? reason)
    {
        if (reason is not null
            && TimeoutInReason().Match(reason) is { Success: true } match
            && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds is > 0 and <= uint.MaxValue)
        {
            Interlocked.Exchange(ref _felt, TimeSpan.FromMilliseconds(milliseconds).Ticks);
        }
    }

    private static TimeSpan? Known(ref long ticks) => Interlocked.Read(ref ticks) is > 0 and var known ? TimeSpan.FromTicks(known) : null;

    // "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 60000 ms. This timeout value can be …"
    [GeneratedRegex(@"timed out\. Timeout value used: ([0-9]+) ms", RegexOptions.CultureInvariant)]
    private static partial Regex TimeoutInReason();
}
