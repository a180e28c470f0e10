using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A scheduler with a clock that a test has set, to be killed by it.</summary>
internal static class RecurringProcess
{
    public const string BrokerVariable = "RECURRING_BROKER";
    public const string ClockVariable = "RECURRING_CLOCK";
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        var clock = HurryingClock.Parse(Environment.GetEnvironmentVariable(ClockVariable)!);
        var factory = new ConnectionFactory { Uri = new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!) };
        var recurring = new RecurrenceRunner(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), clock, Random.Shared, NullLogger.Instance);
        var options = new ScheduleDispatcherOptions
        {
            ConnectAsync = (prepare, cancellation) =>
            {
                prepare(factory);
                return factory.CreateConnectionAsync(cancellation);
            },
            BesideAsync = recurring.RunAsync,
        };
        using var stop = new CancellationTokenSource();
        var dispatcher = new ScheduleDispatcher(options, clock, Random.Shared, NullLogger.Instance);
        var run = dispatcher.RunAsync(stop.Token);
        await recurring.WriterAsync(Timeout.InfiniteTimeSpan, default);
        await Eventually.TrueAsync(() => dispatcher.Status.Activity != DispatchActivity.Down, TimeSpan.FromMinutes(2));
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync();
        await stop.CancelAsync();
        await run;
    }
}
