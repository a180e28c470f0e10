using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Cancelling;

/// <summary>What has been cancelled and is still wanted, as far as the stream has been read. Pure.</summary>
/// <remarks>
/// <list type="number">
/// <item>A token of ours stands for one schedule. A caller's own may be used again, so a cancel is for what was scheduled before it.</item>
/// <item>A cancellation is wanted until its message was due, and <see cref="Slack"/> longer: a message may wait that long for a dispatcher, or
/// for a destination that refuses it. One whose token does not tell its due time is wanted for <see cref="LifeOfUnknown"/>.</item>
/// <item>What is wanted is written again when so much has been written after it that retention could reach it soon. Where all of it has no
/// room, what was due first is given up first.</item>
/// <item>What is no longer wanted is forgotten whenever that is looked at, so memory is bounded by what is wanted.</item>
/// </list>
/// Positions are sizes, because the stream's retention counts bytes. Not safe for several threads.
/// </remarks>
internal sealed class CancelledMessages
{
    /// <summary>How long after its message was due a cancellation is kept at least.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromDays(7);

    /// <summary>How long a cancellation is kept at least whose token does not tell when its message is due.</summary>
    public static readonly TimeSpan LifeOfUnknown = TimeSpan.FromDays(10 * 365);

    private readonly Dictionary<Guid, Place> _places = [];
    private long _written;
    private long _looked;

    /// <summary>Gets how many are remembered.</summary>
    public int Count => _places.Count;

    /// <summary>Counts bytes that say nothing of a cancellation.</summary>
    public void Skip(long bytes) => _written += bytes;

    /// <summary>Takes in the next one.</summary>
    /// <param name="cancellation">The cancellation.</param>
    /// <param name="bytes">What its record takes in the stream.</param>
    /// <returns>Whether it is new. It is not when the token was cancelled before.</returns>
    public bool Add(Cancellation cancellation, long bytes)
    {
        _written += bytes;
        var isNew = !_places.TryGetValue(cancellation.Token, out var before);
        _places[cancellation.Token] = new Place(before.At > cancellation.At ? before.At : cancellation.At, _written);
        return isNew;
    }

    /// <summary>Whether a schedule has been cancelled.</summary>
    /// <param name="token">Its token.</param>
    /// <param name="askedAt">When it was made, where the token is a caller's own.</param>
    public bool Has(Guid token, DateTimeOffset? askedAt) => _places.TryGetValue(token, out var place) && (askedAt is null || askedAt <= place.At);

    /// <summary>What must be written again, because more than so many bytes have been written after it. What is no longer wanted is forgotten.</summary>
    /// <param name="behind">The number of bytes.</param>
    /// <param name="atMost">How many may be written.</param>
    /// <param name="now">The current time.</param>
    /// <remarks>It looks at all only when a quarter of these bytes has been written since the last time.</remarks>
    public IReadOnlyList<Cancellation> Behind(long behind, int atMost, DateTimeOffset now)
    {
        if (_written - _looked < behind / 4)
        {
            return [];
        }

        _looked = _written;
        foreach (var (token, place) in _places)
        {
            if (WantedUntil(token, place.At) <= now)
            {
                _places.Remove(token);
            }
        }

        return
        [
            .. _places
                .Where(item => _written - item.Value.Position > behind)
                .Select(item => (One: new Cancellation(item.Key, item.Value.At), Until: WantedUntil(item.Key, item.Value.At)))
                .OrderByDescending(item => item.Until)
                .Take(atMost)
                .Select(item => item.One),
        ];
    }

    private static DateTimeOffset WantedUntil(Guid token, DateTimeOffset at) => ScheduleToken.DueOf(token) is { } due
        ? due < DateTimeOffset.MaxValue - Slack ? due + Slack : due
        : at < DateTimeOffset.MaxValue - LifeOfUnknown ? at + LifeOfUnknown : at;

    private readonly record struct Place(DateTimeOffset At, long Position);
}
