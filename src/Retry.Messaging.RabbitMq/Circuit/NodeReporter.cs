using Microsoft.Extensions.Logging;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Says that this process is set apart at a point, and that it takes part again, in the log and to its health check.</summary>
internal sealed partial class NodeReporter(string queue, PointHealth health, ILogger logger)
{
    private const string Part = "node";

    /// <summary>It takes no messages any more.</summary>
    public void SetApart(string? why, TimeSpan? interval)
    {
        health.Found(Part, $"This instance is ill and takes no messages, the others do them: {why}. Look what differs here from the others.");
        LogSetApart(queue, why, interval?.TotalSeconds);
    }

    /// <summary>It takes messages again.</summary>
    public void TakesPart(string why)
    {
        health.Found(Part, (string?)null);
        LogTakesPart(queue, why);
    }

    [LoggerMessage(LogEvents.NodeSetApart, LogLevel.Warning, "{Queue}: this instance is ill and takes no messages, the others do them: {Why}. It tries one each {Seconds} s, and less often while that fails. Look what differs here from the other instances")]
    private partial void LogSetApart(string queue, string? why, double? seconds);

    [LoggerMessage(LogEvents.NodeTakesPart, LogLevel.Information, "{Queue}: this instance takes messages again: {Why}")]
    private partial void LogTakesPart(string queue, string why);
}
