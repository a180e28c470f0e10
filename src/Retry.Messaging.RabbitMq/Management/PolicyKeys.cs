namespace Retry.Messaging.RabbitMq.Management;

/// <summary>The one home of the names of policy keys; an argument has the same name after <c>x-</c>.</summary>
internal static class PolicyKeys
{
    public const string DeadLetterExchange = "dead-letter-exchange";
    public const string DeadLetterRoutingKey = "dead-letter-routing-key";
    public const string DeadLetterStrategy = "dead-letter-strategy";
    public const string DeliveryLimit = "delivery-limit";
    public const string Expires = "expires";
    public const string MaxLength = "max-length";
    public const string MaxLengthBytes = "max-length-bytes";
    public const string MessageTtl = "message-ttl";
    public const string Overflow = "overflow";

    public const string AtLeastOnce = "at-least-once";
    public const string RejectPublish = "reject-publish";
    public const string RejectPublishDeadLetter = "reject-publish-dlx";

    public const string QuorumType = "quorum";
    public const string ClassicType = "classic";

    /// <summary>The type of a stream.</summary>
    public const string StreamType = "stream";

    /// <summary>The argument of the same meaning.</summary>
    public static string Argument(string key) => "x-" + key;
}
