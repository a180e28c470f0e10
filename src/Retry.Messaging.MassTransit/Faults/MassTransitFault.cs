using MassTransit;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>What a parked message tells other tools in MassTransit's own headers.</summary>
internal sealed record MassTransitFault(Exception Exception, string? ConsumerType, Type? MessageType, Uri? InputAddress) : FaultDetails(Exception)
{
    // MassTransit writes the whole trace; the header frame of 128 KB is not ours alone
    private const int MaxStackTrace = 8 * 1024;
    private const int MaxMessage = 1024;

    /// <summary>Whether nobody consumed the message, which MassTransit tells from a failure.</summary>
    public bool IsSkipped { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, object?>> Headers(DateTimeOffset at, int redeliveries)
    {
        var exception = ExceptionLevels.Innermost(Exception);
        yield return new(MessageHeaders.Reason, IsSkipped ? "dead-letter" : "fault");
        yield return new(MessageHeaders.FaultExceptionType, TypeCache.GetShortName(exception.GetType()));
        yield return new(MessageHeaders.FaultMessage, HeaderText.OneLine(HeaderText.Message(exception), MaxMessage));
        yield return new(MessageHeaders.FaultTimestamp, at.UtcDateTime.ToString("O"));
        if (HeaderText.StackTrace(exception) is { } trace)
        {
            yield return new(MessageHeaders.FaultStackTrace, trace.Length <= MaxStackTrace ? trace : trace[..MaxStackTrace]);
        }

        if (InputAddress is not null)
        {
            yield return new(MessageHeaders.FaultInputAddress, InputAddress.ToString());
        }

        if (ConsumerType is not null)
        {
            yield return new(MessageHeaders.FaultConsumerType, ConsumerType);
        }

        if (MessageType is not null)
        {
            yield return new(MessageHeaders.FaultMessageType, TypeCache.GetShortName(MessageType));
        }

        if (redeliveries > 0)
        {
            yield return new(MessageHeaders.FaultRedeliveryCount, redeliveries);
        }
    }
}
