using System.Globalization;

namespace Retry.Messaging.Operations.Parking;

/// <summary>A moment as an operator writes it: a time, or an age.</summary>
internal static class MomentText
{
    /// <summary>Reads one; <see langword="null"/> where it is none.</summary>
    /// <param name="text">For example <c>2026-11-22T06:00:00Z</c> or <c>1h30m</c>.</param>
    /// <param name="now">From when an age counts back.</param>
    public static DateTimeOffset? Read(string text, DateTimeOffset now) =>
        DurationText.TryParse(text, out var age) && age < now - DateTimeOffset.MinValue ? now - age
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : null;
}
