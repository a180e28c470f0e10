using System.Text;

namespace Retry.Messaging.State;

/// <summary>The last ten attempts of a message, as they travel in a header of at most 3 KB.</summary>
public sealed class RetryHistory
{
    /// <summary>How many attempts are remembered.</summary>
    public const int MaxEntries = 10;

    /// <summary>How long the header is at most, in bytes of UTF-8.</summary>
    public const int MaxBytes = 3 * 1024;

    /// <summary>No attempt yet.</summary>
    public static readonly RetryHistory Empty = new(string.Empty);

    private readonly string _text;
    private IReadOnlyList<RetryAttempt>? _attempts;

    private RetryHistory(string text) => _text = text;

    /// <summary>The attempts, oldest first. Lines that cannot be read are left out.</summary>
    public IReadOnlyList<RetryAttempt> Attempts => _attempts ??=
        [.. _text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RetryAttempt.TryParse).OfType<RetryAttempt>()];

    /// <summary>Reads the header; anything too long is cut from its oldest end.</summary>
    /// <param name="text">The header's text.</param>
    public static RetryHistory Parse(string? text) =>
        string.IsNullOrEmpty(text) ? Empty : new RetryHistory(Bounded(text));

    /// <summary>The history with one more attempt, the oldest ones dropped where it would grow too long.</summary>
    /// <param name="attempt">The attempt that just failed.</param>
    public RetryHistory With(RetryAttempt attempt)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        var line = attempt.ToLine();
        return new RetryHistory(Bounded(_text.Length == 0 ? line : _text + "\n" + line));
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>As much of the newest attempts as fits.</summary>
    internal string Within(int maxBytes) => Bounded(_text, maxBytes);

    private static string Bounded(string text, int maxBytes = MaxBytes)
    {
        var start = 0;
        var lines = 1 + text.AsSpan().Count('\n');
        while (lines > MaxEntries || Encoding.UTF8.GetByteCount(text.AsSpan(start)) > maxBytes)
        {
            var next = text.IndexOf('\n', start);
            if (next < 0)
            {
                return string.Empty;
            }

            start = next + 1;
            lines--;
        }

        return start == 0 ? text : text[start..];
    }
}
