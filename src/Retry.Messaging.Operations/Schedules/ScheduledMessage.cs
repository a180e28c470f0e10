using Retry.Messaging.RabbitMq.Listing;

namespace Retry.Messaging.Operations.Schedules;

/// <summary>A message that is scheduled once.</summary>
/// <param name="Notice">What the index says of it.</param>
/// <param name="IsCancelled">Whether it was cancelled. Known only of tokens that this library made: a caller's own may be used again.</param>
internal sealed record ScheduledMessage(ScheduleNotice Notice, bool IsCancelled);
