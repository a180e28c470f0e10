using MassTransit;
using Retry.Messaging.MassTransit.Idempotency;

namespace Retry.Messaging.MassTransit;

/// <summary>Says how the consumers of an endpoint recognize their duplicates.</summary>
public sealed class IdempotencyBuilder
{
    internal IdempotencyBuilder(IdempotencySettings settings) => Settings = settings;

    internal IdempotencySettings Settings { get; }

    /// <summary>Recognizes the messages of a type by a key of the business, instead of their message ids: an order sent twice is one order.</summary>
    /// <typeparam name="T">The type of message, or an interface that several have.</typeparam>
    /// <param name="key">Takes the key from the message. A message without one (null or empty) is parked as Failed.</param>
    public void KeyedBy<T>(Func<T, object?> key)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(key);
        Settings.SetKey(key);
    }

    /// <summary>Says what belongs to the content of a message. Unless told, all of it but its envelope does.</summary>
    /// <remarks>A message with a known key and other content is parked as KeyReused. Leave out what each sending has of its own, for example a time.</remarks>
    /// <typeparam name="T">The type of message, or an interface that several have.</typeparam>
    /// <param name="content">Takes the content from the message; it is serialized as JSON.</param>
    public void HashedBy<T>(Func<T, object?> content)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(content);
        Settings.SetContent(content);
    }

    /// <summary>Recognizes a message without a message id by its content. Unless told, it is parked as Failed.</summary>
    public void KeyedByContent() => Settings.IsKeyedByContent = true;

    /// <summary>Sets how long a key belongs to a process that says nothing. While the consumer runs its lease is renewed, each third of this time.</summary>
    /// <param name="lease">From 1 second to 1 day; 1 minute unless set. After a crash a message waits as long. Longer than a process may
    /// stand still and live on: a machine that is moved, for example.</param>
    public void Lease(TimeSpan lease) => Settings.Lease = lease;

    /// <summary>Says what becomes of a message whose lease ran out before anybody said how it ended.</summary>
    /// <param name="choice">It runs again unless set.</param>
    public void AfterExpiredLease(ExpiredLease choice) => Settings.AfterExpiredLease = choice;

    /// <summary>Asks the target whether the effect of a message happened, when its lease ran out before anybody said how it ended.</summary>
    /// <typeparam name="T">The type of message, as its consumer has it.</typeparam>
    /// <param name="happened">
    /// Returns true if it happened: the message is done, and what was sent through its context is its answer. With false the consumer runs.
    /// What it throws counts as the consumer's exception.
    /// </param>
    public void AfterExpiredLease<T>(Func<ConsumeContext<T>, Task<bool>> happened)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(happened);
        Settings.SetAsked(happened);
    }
}
