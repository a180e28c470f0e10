namespace Retry.Messaging.Configuration;

/// <summary>How many retries a layer of settings asks for: a number, or until the message expires.</summary>
/// <param name="Value">The number, or null: until the message expires.</param>
internal readonly record struct RetryCount(int? Value)
{
    /// <summary>What configuration writes in place of a number.</summary>
    internal const string UntilExpiredText = "UntilExpired";

    /// <summary>No number: until the message expires.</summary>
    internal static readonly RetryCount UntilExpired = new(null);
}
