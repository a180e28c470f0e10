using System.Text.RegularExpressions;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>What failures with one cause have in common: the exception, its text without what differs, and where in the user's code it was thrown.</summary>
/// <remarks>
/// What differs is taken out of the text: quoted words, mail addresses, and every word with a digit in it (numbers, ids, hosts, times). The place is the first frame of the stack trace with a file name, since libraries come without; where there is
/// none, the first that belongs to no framework. What the compiler adds to names is taken off, because it changes with each build.
/// </remarks>
internal static partial class FailureFingerprint
{
    private const int MaxText = 120;
    private const int MaxFrame = 200;

    private static readonly char[] Punctuation = [.. ".,:;!?()[]{}"];
    private static readonly string[] Frameworks = ["System.", "Microsoft.", "MassTransit.", "Retry.Messaging.", "RabbitMQ."];

    /// <summary>The fingerprint of a message's last failure.</summary>
    public static string Of(ParkedMessage message)
    {
        var trace = message.RawHeaders is { } headers ? RetryHeaderReader.Text(headers, MassTransitHeaderNames.StackTrace) : null;
        var whole = Normalize(message.Error ?? message.BrokerReason ?? string.Empty);
        var text = HeaderText.OneLine(whole, MaxText) + (whole.Length > MaxText ? "…" : string.Empty);
        return OwnFrame(trace) is { } frame ? $"{text} at {frame}" : text;
    }

    /// <summary>A text without what differs from message to message.</summary>
    public static string Normalize(string text) => Words().Replace(Quoted().Replace(text, "*"), static word => WithoutWhatVaries(word.Value));

    private static string WithoutWhatVaries(string word)
    {
        var core = word.Trim(Punctuation);
        return core.Any(char.IsDigit) || core.Contains('@', StringComparison.Ordinal) ? word.Replace(core, "*", StringComparison.Ordinal) : word;
    }

    private static string? OwnFrame(string? trace)
    {
        string? first = null;
        foreach (Match frame in Frames().Matches(trace ?? string.Empty))
        {
            var method = frame.Groups[1].Value;
            if (Frameworks.Any(framework => method.StartsWith(framework, StringComparison.Ordinal)))
            {
                continue;
            }

            if (frame.Groups[2].Success)
            {
                return WithoutCompilerNames(method);
            }

            first ??= method;
        }

        return first is null ? null : WithoutCompilerNames(first);
    }

    // Shop.A.<RunAsync>d__0.MoveNext, Shop.A.<>c__DisplayClass0_0.<Run>b__0
    private static string WithoutCompilerNames(string method)
    {
        var written = method.EndsWith(".MoveNext", StringComparison.Ordinal) ? method[..^".MoveNext".Length] : method;
        return Generated().Replace(Closures().Replace(HeaderText.OneLine(written, MaxFrame), string.Empty), "$1");
    }

    // a sign that opens ends the search, so that a text of nothing else is read once
    [GeneratedRegex("""'[^']*'|"[^"]*"|`[^`]*`|‘[^‘’]*’|“[^“”]*”|„[^„“]*“|«[^«»]*»""", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(@"^[ \t]*at ([^\s(]+)\([^)\n]*\)( in .+:line \d+)?", RegexOptions.CultureInvariant | RegexOptions.Multiline)]
    private static partial Regex Frames();

    [GeneratedRegex(@"<>c(__DisplayClass\w*)?\.", RegexOptions.CultureInvariant)]
    private static partial Regex Closures();

    [GeneratedRegex(@"<+([\w.]+)>[\w>]*", RegexOptions.CultureInvariant)]
    private static partial Regex Generated();
}
