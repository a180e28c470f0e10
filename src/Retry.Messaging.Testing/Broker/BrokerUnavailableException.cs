namespace Retry.Messaging.Testing;

/// <summary>A private broker could not be had: no way to one, it did not start, or it is not safe to use.</summary>
/// <param name="message">Found, wanted, next step.</param>
/// <param name="innerException">What caused it.</param>
public sealed class BrokerUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
