namespace Retry.Messaging.RabbitMq.Attempts;

/// <summary>What a parked message tells other tools about its failure, in the headers of the framework that consumed it.</summary>
/// <param name="Exception">What its attempt ended with.</param>
internal abstract record FaultDetails(Exception Exception)
{
    /// <summary>The headers.</summary>
    /// <param name="at">When the message was parked.</param>
    /// <param name="redeliveries">How many attempts there were before the last one.</param>
    public abstract IEnumerable<KeyValuePair<string, object?>> Headers(DateTimeOffset at, int redeliveries);
}
