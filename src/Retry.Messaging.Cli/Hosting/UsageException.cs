namespace Retry.Messaging.Cli.Hosting;

/// <summary>The command line asks for something that makes no sense; the message says what does.</summary>
internal sealed class UsageException(string message) : Exception(message);
