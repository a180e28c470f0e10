namespace Retry.Messaging.RabbitMq;

/// <summary>Draws pauses, so that processes that began together do not go on together.</summary>
internal static class RandomExtensions
{
    /// <summary>Draws from 80 to 120 % of a mean.</summary>
    public static TimeSpan Around(this Random random, TimeSpan mean) => mean * (0.8 + (0.4 * random.NextDouble()));
}
