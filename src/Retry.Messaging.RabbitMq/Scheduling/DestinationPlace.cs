namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>A place with a destination, or for how long there is none.</summary>
/// <param name="Destination">The destination that gave it.</param>
/// <param name="Lane">The lane to send the message on.</param>
/// <param name="Rest">For how long it is of no use to send it; <see langword="null"/> where it may be sent.</param>
internal readonly record struct DestinationPlace(Destination Destination, int Lane, TimeSpan? Rest);
