using System.Globalization;

namespace Retry.Messaging.Outcomes;

/// <summary>What the Fault of a message says that waited beyond its validity. It is not thrown.</summary>
public sealed class OutlivedMessageException : Exception
{
    internal OutlivedMessageException(string queue, DateTimeOffset deadline)
        : base(string.Create(
            CultureInfo.InvariantCulture,
            $"The message came out of queue '{queue}' when its validity, until {deadline:yyyy-MM-dd HH:mm:ss}Z, was over, and was not run. It had to wait: for a limit, for an ill target or for a consumer. Replay it if it is still wanted."))
    {
    }
}
