using System.Text.RegularExpressions;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>What failures with one cause have in common: the exception, its text without what differs, and where in the user's code it was thrown.</summary>
internal static partial class FailureFingerprint
{
    private const int MaxText = 120;

    // frames of these say nothing of whose fault it was
    private static readonly string[] Frameworks = ["System.", "Microsoft.", "MassTransit.", "Retry.Messaging.", "RabbitMQ."];

    /// <summary>The fingerprint of a message's last failure.</summary>
    public static string Of(ParkedMessage message)
    {
        var trace = message.RawHeaders is { } headers ? RetryHeaderReader.Text(headers, MassTransitHeaderNames.StackTrace) : null;
        var text = HeaderText.OneLine(Normalize(message.Error ?? message.BrokerReason ?? string.Empty), MaxText);
        return FirstOwnFrame(trace) is { } frame ? $"{text} at {frame}" : text;
    }

    /// <summary>A text without numbers, ids and quoted words, which differ from message to message.</summary>
    public static string Normalize(string text) => Numbers().Replace(Quoted().Replace(Ids().Replace(text, "*"), "$1*$1"), "*");

    private static string? FirstOwnFrame(string? trace)
    {
        foreach (Match frame in Frames().Matches(trace ?? string.Empty))
        {
            var method = frame.Groups[1].Value;
            if (!Frameworks.Any(framework => method.StartsWith(framework, StringComparison.Ordinal)))
            {
                return method;
            }
        }

        return null;
    }

    [GeneratedRegex(@"\b[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\b|\b[0-9a-fA-F]{16,}\b", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"(['""])[^'""]*\1", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\d+([.,:]\d+)*", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"^\s*at ([^\s(]+)\(", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1000)]
    private static partial Regex Frames();
}
