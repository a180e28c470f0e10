using System.Globalization;
using MassTransit;
using Retry.Messaging.Wire;

namespace Payments.Service;

/// <summary>One run of the consumer, as a line of the ledger.</summary>
/// <param name="PaymentId">Which payment, by its reference.</param>
/// <param name="Number">1 for the first.</param>
/// <param name="At">When the consumer got the message.</param>
/// <param name="DueAt">When the retry was due; null for a first attempt.</param>
/// <param name="Outcome"><see cref="Done"/>, another state of the payment, or the type of the exception.</param>
internal sealed record Attempt(string PaymentId, int Number, DateTimeOffset At, DateTimeOffset? DueAt, string Outcome = "")
{
    public const string Done = "done";

    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
    private const string NoTime = "-";

    /// <summary>Reads number and due time from the message; the latter is in the state that graded retry sends along.</summary>
    public static Attempt Of(ConsumeContext<ChargeRequested> context, DateTimeOffset now)
    {
        var number = context.GetRedeliveryCount() + 1;
        var headers = context.ReceiveContext.TryGetPayload<RabbitMqBasicConsumeContext>(out var delivery) ? delivery.Properties.Headers : null;
        return new Attempt(
            context.Message.Reference,
            number,
            now,
            number > 1 && headers is not null ? RetryHeaderReader.Read(headers).DueAt : null);
    }

    public static Attempt Parse(string line)
    {
        var columns = line.Split('\t');
        return new Attempt(
            columns[0],
            int.Parse(columns[1], CultureInfo.InvariantCulture),
            ParseTime(columns[2]),
            columns[3] == NoTime ? null : ParseTime(columns[3]),
            columns[4]);
    }

    public override string ToString() =>
        string.Join('\t', PaymentId, Number.ToString(CultureInfo.InvariantCulture), Format(At), DueAt is { } due ? Format(due) : NoTime, Outcome);

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static DateTimeOffset ParseTime(string text) =>
        DateTimeOffset.ParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
