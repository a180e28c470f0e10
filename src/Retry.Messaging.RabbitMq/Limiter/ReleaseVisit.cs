using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What is sent of a message that came by before it is due.</summary>
/// <param name="Message">The message.</param>
/// <param name="Climb">Its way up; <see langword="null"/> where it is released: then it goes to the work queue, in its turn.</param>
internal sealed record ReleaseVisit(OutcomeMessage Message, LimitedClimb? Climb);
