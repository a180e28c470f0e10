namespace Retry.Messaging.Ladder;

/// <summary>The way of one message through the ladder.</summary>
/// <param name="Exchange">The exchange to publish to.</param>
/// <param name="RoutingKey">Eight digits of the clock, then the destination.</param>
/// <param name="Delay">The delay that the digits add up to.</param>
public readonly record struct LadderRoute(string Exchange, string RoutingKey, TimeSpan Delay);
