namespace Payments.Gateway;

/// <summary>When nobody gets through, counted from the gateway's first call.</summary>
/// <param name="Start">When it begins.</param>
/// <param name="Length">How long it lasts.</param>
/// <param name="Every">After what time it comes again, or null for a single one.</param>
internal sealed record Outage(TimeSpan Start, TimeSpan Length, TimeSpan? Every = null)
{
    public bool Covers(TimeSpan elapsed)
    {
        var sinceStart = (Every is { } every ? TimeSpan.FromTicks(elapsed.Ticks % every.Ticks) : elapsed) - Start;
        return sinceStart >= TimeSpan.Zero && sinceStart < Length;
    }
}
