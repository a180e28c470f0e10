using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Lets one delivery begin.</summary>
/// <param name="Number">Its number, by whoever gave it.</param>
/// <param name="Judge">The queue of whoever gave it, where its end is told.</param>
/// <param name="IsProbe">Whether the delivery tries an ill target: if it fails, it uses no attempt.</param>
internal sealed record Permit(long Number, string Judge, bool IsProbe)
{
    /// <summary>The type of the messages that are permits.</summary>
    public const string Type = "retry.permit";

    /// <summary>The type of the messages that tell what became of one.</summary>
    public const string UseType = "retry.permit.use";

    /// <summary>Tells whoever gave it that the delivery begins (<see langword="null"/>), or whether the target answered. Set by whoever took it.</summary>
    public Func<Permit, PermitUse, Task> Tell { get; init; } = static (_, _) => Task.CompletedTask;

    /// <summary>Writes it. It is worth nothing after some time.</summary>
    public BasicProperties Write(TimeSpan worth) => new()
    {
        Type = Type,
        ReplyTo = Judge,
        Expiration = ((long)Math.Max(worth.TotalMilliseconds, 1)).ToString(CultureInfo.InvariantCulture),
        Headers = new Dictionary<string, object?> { [ControlHeaderNames.Permit] = Number, [ControlHeaderNames.Probe] = IsProbe },
    };

    /// <summary>Reads one; <see langword="null"/> where a message is none.</summary>
    public static Permit? Read(IReadOnlyBasicProperties properties) =>
        properties is { Type: Type, ReplyTo.Length: > 0, Headers: { } headers }
        && headers.TryGetValue(ControlHeaderNames.Permit, out var number) && number is long value
            ? new Permit(value, properties.ReplyTo, headers.TryGetValue(ControlHeaderNames.Probe, out var probe) && probe is true)
            : null;

    /// <summary>Writes what becomes of it.</summary>
    public BasicProperties Write(PermitUse use)
    {
        var headers = new Dictionary<string, object?> { [ControlHeaderNames.Permit] = Number };
        if (use.Answered is { } answered)
        {
            headers[ControlHeaderNames.Answered] = answered;
        }

        return new BasicProperties { Type = UseType, MessageId = HeaderText.OneLine(use.Message, RetryState.MaxId), Headers = headers };
    }

    /// <summary>Reads what becomes of one; <see langword="null"/> where a message does not tell it.</summary>
    public static (long Number, PermitUse Use)? ReadUse(IReadOnlyBasicProperties properties) =>
        properties is { Type: UseType, MessageId: { } message, Headers: { } headers }
        && headers.TryGetValue(ControlHeaderNames.Permit, out var number) && number is long value
            ? (value, new PermitUse(message, headers.TryGetValue(ControlHeaderNames.Answered, out var answered) ? answered as bool? : null))
            : null;
}

/// <summary>What becomes of a permit.</summary>
/// <param name="Message">The message that began with it.</param>
/// <param name="Answered">Whether the target answered; <see langword="null"/> where the delivery begins only now.</param>
internal readonly record struct PermitUse(string Message, bool? Answered);
