using System.Globalization;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>A clock on the wall that several processes share: from a moment on it hurries, and shows another year.</summary>
/// <param name="shows">What it shows at that moment.</param>
/// <param name="from">The moment.</param>
/// <param name="factor">How fast it goes from then on.</param>
internal sealed class HurryingClock(DateTimeOffset shows, DateTimeOffset from, int factor) : TimeProvider
{
    // a time-out of some seconds is about the broker, which does not hurry
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    public static HurryingClock Parse(string text)
    {
        var numbers = text.Split(',').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToList();
        return new(DateTimeOffset.FromUnixTimeMilliseconds(numbers[0]), DateTimeOffset.FromUnixTimeMilliseconds(numbers[1]), (int)numbers[2]);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{shows.ToUnixTimeMilliseconds()},{from.ToUnixTimeMilliseconds()},{factor}");

    public override DateTimeOffset GetUtcNow()
    {
        var passed = base.GetUtcNow() - from;
        return shows + (passed > TimeSpan.Zero ? passed * factor : passed);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Shorter(dueTime), Shorter(period));

    private TimeSpan Shorter(TimeSpan time) => time <= Shortest ? time : time / factor > Shortest ? time / factor : Shortest;
}
