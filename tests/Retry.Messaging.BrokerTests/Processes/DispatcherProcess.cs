using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Scheduling;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A dispatcher of scheduled messages and nothing else, to be killed by a test.</summary>
internal static class DispatcherProcess
{
    public const string BrokerVariable = "DISPATCHER_BROKER";
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        using var stop = new CancellationTokenSource();
        var run = Create(new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!)).RunAsync(stop.Token);
        await Console.In.ReadToEndAsync();
        await stop.CancelAsync();
        await run;
    }

    private static ScheduleDispatcher Create(Uri broker)
    {
        var options = new ScheduleDispatcherOptions
        {
            ConnectAsync = async (prepare, cancellation) =>
            {
                var factory = new ConnectionFactory { Uri = broker };
                prepare(factory);
                return await factory.CreateConnectionAsync(cancellation);
            },
        };
        return new ScheduleDispatcher(options, TimeProvider.System, Random.Shared, new ReadySign());
    }

    // the broker counts only the one of them that is at work
    private sealed class ReadySign : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == LogEvents.DispatcherStandingBy)
            {
                Console.WriteLine(Ready);
            }
        }
    }
}
