namespace Payments.Running;

/// <summary>The sample cannot go on; the message is all that its user needs.</summary>
internal sealed class SampleException(string message) : Exception(message);
