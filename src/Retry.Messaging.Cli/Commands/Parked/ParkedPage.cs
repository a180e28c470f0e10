using System.Text;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>One parked message on a page of its own, for people.</summary>
internal static class ParkedPage
{
    private const int LabelWidth = 16;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void Write(CliHost host, ParkedMessage message, bool withBody)
    {
        var page = new StringBuilder();
        Field(page, "Id", message.Id);
        Field(page, "Queue", message.WorkQueue);
        Field(page, "Reason", message.BrokerReason is { } word ? $"{message.Reason} (the broker itself: {word})" : message.Reason.ToString());
        Field(
            page,
            "Attempts",
            Printable.Count(message.Attempts) + (message.Replayed > 0 ? $", replayed {Printable.Count(message.Replayed)}x before (plan {message.Plan})" : ""));
        Field(page, "First failed at", Printable.Time(message.FirstFailedAt));
        Field(page, "Parked at", Printable.Time(message.ParkedAt));
        Field(page, "Message type", message.MessageType);
        if (message.Tenant is { } tenant)
        {
            Field(page, "Tenant", tenant);
        }

        Field(page, "Exception type", message.ExceptionType);
        Field(page, "Error", message.Error);

        if (message.History.Count > 0)
        {
            page.Append("\nHistory\n");
            foreach (var attempt in message.History)
            {
                page.Append("  ").Append(Printable.Line($"{attempt.Number,3}  {Printable.Time(attempt.FailedAt)}  {attempt.Host}  {attempt.ErrorType}: {attempt.Message}")).Append('\n');
            }
        }

        page.Append("\nHeaders\n");
        foreach (var (name, value) in message.Headers.Where(header => !header.Key.StartsWith(RetryHeaderNames.Prefix, StringComparison.Ordinal)
            && header.Key != MassTransitHeaderNames.StackTrace))
        {
            page.Append("  ").Append(Printable.Line(name)).Append(": ").Append(Printable.Line(ReadableHeaders.AsText(value))).Append('\n');
        }

        if (message.Headers.TryGetValue(MassTransitHeaderNames.StackTrace, out var trace))
        {
            page.Append("\nStack trace\n").Append(Printable.Lines(trace?.ToString()?.ReplaceLineEndings("\n"))).Append('\n');
        }

        if (withBody && message.Body is { } body)
        {
            page.Append("\nBody (").Append(Printable.Count(message.Size, "byte")).Append(", ").Append(Printable.Line(message.ContentType ?? "no content type"))
                .Append(")\n");
            page.Append(TextOf(body) is { } text ? Printable.Lines(text) : "  not text; --body-to FILE writes the bytes").Append('\n');
        }

        host.Out.Write(page.ToString());
    }

    private static void Field(StringBuilder page, string label, string? value) =>
        page.Append(label.PadRight(LabelWidth)).Append(Printable.Line(string.IsNullOrEmpty(value) ? "-" : value)).Append('\n');

    private static string? TextOf(ReadOnlyMemory<byte> body)
    {
        if (JsonOutput.TryIndent(body) is { } json)
        {
            return json;
        }

        try
        {
            return Strict.GetString(body.Span);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
