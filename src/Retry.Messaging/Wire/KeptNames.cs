namespace Retry.Messaging.Wire;

/// <summary>The keys inside the <see cref="RetryHeaderNames.Kept"/> table.</summary>
internal static class KeptNames
{
    public const string Exchange = "exchange";
    public const string RoutingKey = "routing-key";
    public const string Priority = "priority";
    public const string Expiration = "expiration";
    public const string ExpiresAt = "expires-at";
    public const string UserId = "user-id";
    public const string Cc = "cc";
    public const string Bcc = "bcc";
}
