using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>A queue whose messages can be read and taken out one by one: a parking lot, or the lost queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="WhenMissing">Says what to do when there is none.</param>
/// <param name="Read">Reads a delivery by its exchange, routing key, properties and body.</param>
internal sealed record LotSource(string Queue, string WhenMissing, Func<string, string, IReadOnlyBasicProperties, ReadOnlyMemory<byte>, ParkedMessage> Read)
{
    /// <summary>Tells by the properties alone what a message is known by in a <see cref="LotSet"/>, or <see langword="null"/>: a set is small
    /// and a lot large, and to read a message takes twice as long as to receive it.</summary>
    public Func<IReadOnlyBasicProperties, ulong?> KeyOf { get; init; } = static _ => null;

    /// <summary>Whether the queue's name comes from the operator, so that a missing one may be a misspelt name.</summary>
    public bool IsNamedByOperator { get; init; }

    /// <summary>How often the queue takes a message back before it drops it; <see langword="null"/> for ever, as a parking lot does.</summary>
    public long? DeliveryLimit { get; init; }

    /// <summary>Whether that limit is a guess, because nothing tells it.</summary>
    public bool IsLimitGuessed { get; init; }

    /// <summary>Whether what was held is given back by a nack, which RabbitMQ 4.3 does not count, and not by closing its channel, which it counts:
    /// after 21 readings an error queue with MassTransit's settings was empty (measured).</summary>
    /// <remarks>Not for a parking lot, which takes back for ever: on 3.10 a nack of many changes their order.</remarks>
    public bool Nacks { get; init; }

    /// <summary>A point's parking lot.</summary>
    public static LotSource ParkingLot(RetryPointNames names) => new(
        names.Parked,
        WithoutLot(names),
        (_, _, properties, body) => ParkedMessageReader.Read(properties, body, names))
    {
        IsNamedByOperator = true,
        KeyOf = properties => ParkedMessageReader.KeyOf(properties, names),
    };

    /// <summary>A point's archive: messages that an operator has put out of the way.</summary>
    public static LotSource Archive(RetryPointNames names) => ParkingLot(names) with
    {
        Queue = names.Work + BrokerNames.ArchivedSuffix,
        WhenMissing = $"Found no queue '{names.Work + BrokerNames.ArchivedSuffix}': nothing of '{names.Work}' was archived in this virtual host. 'retryctl parked archive {names.Work}' does that.",
    };

    private static string WithoutLot(RetryPointNames names) =>
        names.Work.EndsWith(BrokerNames.ParkedSuffix, StringComparison.Ordinal)
            ? $"Found no queue '{names.Parked}'. Give the work queue's name, '{names.Work[..^BrokerNames.ParkedSuffix.Length]}', not the parking lot's."
        : MassTransitQueueNames.IsOfFailed(names.Work)
            ? $"Found no queue '{names.Parked}'. MassTransit's own error queue is no retry point: type '--queue {names.Work}' instead of '{names.Work}'."
        : $"Found no queue '{names.Parked}', which is the parking lot of '{names.Work}'. Check the name and the virtual host. The service makes the parking lot when it starts; so does 'retryctl topology apply --point {names.Work}'.";

    /// <summary>What the broker says, as an error with its next step.</summary>
    public ParkingException Refusal(ShutdownEventArgs reason, Exception exception) => reason.ReplyCode switch
    {
        Constants.NotFound => new ParkingException(WhenMissing, exception) { IsUnknownQueue = IsNamedByOperator },
        Constants.AccessRefused =>
            new ParkingException($"The user may not read queue '{Queue}': {reason.ReplyText}. Use a user with read permission on it.", exception),
        _ => new ParkingException($"The broker refused queue '{Queue}': {reason.ReplyCode} {reason.ReplyText}.", exception),
    };

    /// <summary>What to say when the broker has messages ready and delivers none.</summary>
    public ParkingException Stalled(uint left, TimeSpan patience, ParkingProgress progress) =>
        new($"Queue '{Queue}' has messages ready ({left}) but delivered none for {patience.TotalSeconds:0} s, after {progress.Examined} of {progress.Total}. Look at the broker's alarms and the queue's leader, then run the command again.");

    /// <summary>What to say when no more messages come.</summary>
    public ParkingException Lost(string why, ParkingProgress progress, Exception? exception) =>
        new($"Reading queue '{Queue}' stopped after {progress.Examined} of {progress.Total} messages: {why}. Messages that were not moved are still there. Run the command again.", exception);
}
