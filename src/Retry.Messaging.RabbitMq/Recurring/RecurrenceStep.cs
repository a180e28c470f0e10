namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>What is to be sent of a recurrence now, and recorded when it has been.</summary>
/// <param name="Messages">The messages, in order.</param>
/// <param name="Progress">What to record afterwards.</param>
/// <param name="Next">When there is something to decide again; <see langword="null"/> where only a new document changes anything.</param>
internal sealed record RecurrenceStep(IReadOnlyList<RecurrenceMessage> Messages, RecurrenceProgress Progress, DateTimeOffset? Next);

/// <summary>One message of a recurrence.</summary>
/// <param name="Id">Its message id: the same for each copy.</param>
/// <param name="DueAt">When it is due.</param>
internal readonly record struct RecurrenceMessage(Guid Id, DateTimeOffset DueAt);
