namespace Retry.Messaging.RabbitMq.Listing;

/// <summary>What the index says of one scheduled message.</summary>
/// <param name="Due">When it is due, in milliseconds since 1970, UTC.</param>
/// <param name="Exchange">Where it goes.</param>
/// <param name="Key">With which routing key; empty as a rule.</param>
/// <param name="Id">Its message id.</param>
/// <param name="Token">The token that it is cancelled by.</param>
/// <param name="Type">The type of message.</param>
/// <param name="By">Who scheduled it.</param>
internal sealed record ScheduleNotice(long Due, string Exchange, string? Key, string? Id, string? Token, string? Type, string? By);
