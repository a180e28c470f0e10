using System.Text;

namespace Retry.Messaging.Wire;

/// <summary>The last ten attempts of a message, as they travel in a header of at most 3 KB.</summary>
public sealed class RetryHistory
{
    /// <summary>How many attempts are remembered.</summary>
    public const int MaxEntries = 10;

    /// <summary>How long the header is at most, in bytes of UTF-8.</summary>
    public const int MaxBytes = 3 * 1024;

    /// <summary>No attempt yet.</summary>
    public static readonly RetryHistory Empty = new(string.Empty);

    /// <summary>What stands between an error's type and its message.</summary>
    internal const string ErrorSeparator = ": ";

    private readonly string _text;
    private IReadOnlyList<RetryAttempt>? _attempts;

    private RetryHistory(string text) => _text = text;

    /// <summary>The attempts, oldest first. Lines that cannot be read are left out.</summary>
    public IReadOnlyList<RetryAttempt> Attempts => _attempts ??=
        [.. _text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(RetryAttempt.TryParse).OfType<RetryAttempt>()];

    /// <summary>The newest attempt, or <see langword="null"/>; the others are not read for it.</summary>
    internal RetryAttempt? Latest => RetryAttempt.TryParse(_text[(_text.LastIndexOf('\n') + 1)..]) ?? (Attempts is [.., var last] ? last : null);

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

    /// <summary>Type and message of the newest attempt's error, as far as its line has them.</summary>
    internal string? LatestError
    {
        get
        {
            SplitLatest(out var type, out var message);
            return type.IsEmpty ? null : string.Concat(type, ErrorSeparator, message);
        }
    }

    /// <summary>Whether the newest attempt's line has the whole of an error.</summary>
    internal bool Tells(string error)
    {
        SplitLatest(out var type, out var message);
        return !type.IsEmpty
            && error.Length == type.Length + ErrorSeparator.Length + message.Length
            && error.AsSpan().StartsWith(type)
            && error.AsSpan(type.Length).StartsWith(ErrorSeparator)
            && error.AsSpan().EndsWith(message);
    }

    /// <summary>As much of the newest attempts as fits.</summary>
    internal string Within(int maxBytes) => Bounded(_text, maxBytes);

    private void SplitLatest(out ReadOnlySpan<char> type, out ReadOnlySpan<char> message)
    {
        var line = _text.AsSpan(_text.LastIndexOf('\n') + 1);
        var beforeMessage = line.LastIndexOf(RetryAttempt.Separator);
        message = line[(beforeMessage + 1)..];
        type = beforeMessage < 0 ? [] : line[..beforeMessage];
        type = type[(type.LastIndexOf(RetryAttempt.Separator) + 1)..];
    }

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
