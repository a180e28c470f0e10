using System.Text;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>A failure that is remembered, and what its consumer had sent when it said so: a line of text, then the answers.</summary>
internal sealed record StoredFailure(string Error, IReadOnlyCollection<StoredAnswer> Answers)
{
    private const byte EndOfLine = (byte)'\n';

    /// <summary>Keeps a failure.</summary>
    /// <param name="exception">What was thrown, or stands for what was said.</param>
    /// <param name="answers">None where it was thrown: an exception undoes them.</param>
    public static IdempotencyResult Of(Exception exception, IReadOnlyCollection<StoredAnswer> answers)
    {
        var error = HeaderText.OneLine($"{HeaderText.TypeName(exception)}: {HeaderText.Message(exception)}", RetryState.MaxError);
        var line = Encoding.UTF8.GetBytes(error);
        return new IdempotencyResult(IsFailure: true, answers.Count == 0 ? line : (byte[])[.. line, EndOfLine, .. StoredAnswer.Write(answers)]);
    }

    /// <summary>Reads one.</summary>
    public static StoredFailure Read(ReadOnlyMemory<byte> content)
    {
        var end = content.Span.IndexOf(EndOfLine);
        return new StoredFailure(
            Encoding.UTF8.GetString((end < 0 ? content : content[..end]).Span),
            end < 0 ? [] : StoredAnswer.Read(content[(end + 1)..]));
    }
}
