using System.Globalization;

namespace Retry.Messaging.Wire;

/// <summary>One line of a message's history: an attempt that failed.</summary>
/// <param name="Number">The attempt's number, from 1.</param>
/// <param name="FailedAt">When it failed, UTC.</param>
/// <param name="Host">The machine it failed on.</param>
/// <param name="ErrorType">The exception's type.</param>
/// <param name="Message">The first 100 characters of the exception's message.</param>
public sealed record RetryAttempt(int Number, DateTimeOffset FailedAt, string Host, string ErrorType, string Message)
{
    internal const char Separator = '\t';
    private const int MaxMessage = 100;
    private const int MaxHost = 64;
    private const int MaxType = 120;
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const int UpToMilliseconds = 23;
    private const int RoundTripLength = 28;

    internal string ToLine()
    {
        // The standard format has more digits of the second, and takes a fraction of the time of a custom one.
        Span<char> time = stackalloc char[RoundTripLength];
        FailedAt.UtcDateTime.TryFormat(time, out _, "O", CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Number}{Separator}{time[..UpToMilliseconds]}Z{Separator}{HeaderText.OneLine(Host, MaxHost)}{Separator}{HeaderText.OneLine(ErrorType, MaxType)}{Separator}{HeaderText.OneLine(Message, MaxMessage)}");
    }

    internal static RetryAttempt? TryParse(string line)
    {
        var parts = line.Split(Separator);
        return parts.Length >= 5
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && DateTimeOffset.TryParseExact(parts[1], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? new RetryAttempt(
                number,
                at,
                HeaderText.OneLine(parts[2], MaxHost),
                HeaderText.OneLine(parts[3], MaxType),
                HeaderText.OneLine(parts[4], MaxMessage))
            : null;
    }
}
