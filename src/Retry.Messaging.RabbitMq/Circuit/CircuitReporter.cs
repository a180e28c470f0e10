using Microsoft.Extensions.Logging;
using Retry.Messaging.Breaker;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Health;

namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>Says what the circuit of a point lets through, in the log and to its health check.</summary>
internal sealed partial class CircuitReporter(string queue, PointHealth health, ILogger logger)
{
    private const string Part = "circuit";

    /// <summary>The circuit lets through something else.</summary>
    public void Became(CircuitDocument before, CircuitDocument now, TimeSpan? interval)
    {
        if (now.State == before.State)
        {
            return;
        }

        switch (now.State)
        {
            case CircuitState.Closed:
                health.Found(Part, (string?)null);
                LogClosed(queue, now.Why);
                break;

            case CircuitState.Open:
                health.Found(Part, $"The circuit is open: {now.Why?.TrimEnd('.')}. Run 'retryctl breaker status {queue}'.");
                LogOpen(queue, now.Why, now.Hand == CircuitHand.Open ? "nothing is tried" : $"one message is tried each {interval?.TotalSeconds} s");
                break;

            default:
                LogHalfOpen(queue, now.State == CircuitState.HalfOpen ? "half-open" : "closing", now.Why);
                break;
        }
    }

    /// <summary>A document makes no sense; the circuit stays as it is.</summary>
    public void Unreadable(string why, CircuitState state) => LogUnreadable(queue, why.TrimEnd('.'), state);

    /// <summary>Nobody judges the target.</summary>
    public void Forsaken(TimeSpan without) => LogForsaken(queue, without.TotalSeconds);

    /// <summary>Nobody gives permits under a cap.</summary>
    public void WithoutPermits(TimeSpan without) => LogWithoutPermits(queue, without.TotalSeconds);

    /// <summary>The target asks to be called less often.</summary>
    public void Slowed(double perSecond, double cap) => LogSlowed(queue, perSecond, cap);

    [LoggerMessage(LogEvents.CapHalved, LogLevel.Warning, "{Queue}: the target asks to be called less often, so the cap on all deliveries is halved to {PerSecond}/s, and comes back to {Cap}/s by and by")]
    private partial void LogSlowed(string queue, double perSecond, double cap);

    [LoggerMessage(LogEvents.CircuitOpen, LogLevel.Warning, "{Queue}: the circuit is open: {Why}. Messages wait, and {Probing}")]
    private partial void LogOpen(string queue, string? why, string probing);

    [LoggerMessage(LogEvents.CircuitHalfOpen, LogLevel.Information, "{Queue}: the circuit is {State}: {Why}")]
    private partial void LogHalfOpen(string queue, string state, string? why);

    [LoggerMessage(LogEvents.CircuitClosed, LogLevel.Information, "{Queue}: the circuit is closed: {Why}")]
    private partial void LogClosed(string queue, string? why);

    [LoggerMessage(LogEvents.CircuitForsaken, LogLevel.Warning, "{Queue}: nobody has judged the target for {Seconds} s, so messages are consumed as if there were no breaker. Look why no instance may have a queue " + BrokerNames.ListenPrefix + "*")]
    private partial void LogForsaken(string queue, double seconds);

    [LoggerMessage(LogEvents.CircuitWithoutPermits, LogLevel.Warning, "{Queue}: nobody has given permits for {Seconds} s, and the point has a cap on all deliveries: its messages wait. Look why no instance may have a queue " + BrokerNames.ListenPrefix + "*")]
    private partial void LogWithoutPermits(string queue, double seconds);

    [LoggerMessage(LogEvents.CircuitUnreadable, LogLevel.Warning, "{Queue}: {Reason}. The circuit stays {State}")]
    private partial void LogUnreadable(string queue, string reason, CircuitState state);
}
