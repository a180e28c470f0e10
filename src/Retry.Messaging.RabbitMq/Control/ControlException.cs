namespace Retry.Messaging.RabbitMq.Control;

/// <summary>The control log cannot be read or written.</summary>
/// <param name="message">What was found, what is wanted, what to do next.</param>
/// <param name="innerException">The cause.</param>
internal sealed class ControlException(string message, Exception? innerException = null) : Exception(message, innerException);
