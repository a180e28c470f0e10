namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Where a message may be sent on, if it may.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Rest">For how long it is of no use to send it; <see langword="null"/> where it may be sent.</param>
internal readonly record struct DestinationPlace(int Channel, TimeSpan? Rest);
