using MassTransit;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Recurring;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>What recurs by a bus: what its code adds is written when it is connected, and the bus takes part in sending it.</summary>
internal sealed partial class BusRecurrences
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Func<IBus> _bus;
    private readonly IReadOnlyList<RecurringRegistration> _added;
    private readonly RecurrenceRunner _runner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HashSet<RecurringRegistration> _written = [];

    public BusRecurrences(Func<IBus> bus, IReadOnlyList<RecurringRegistration> added, TimeProvider time, ILogger logger)
    {
        _bus = bus;
        _added = added;
        _time = time;
        _logger = logger;
        _runner = new RecurrenceRunner(Environment.MachineName, time, Random.Shared, logger);
        Calls = new RecurringCalls(bus, _runner, time);
    }

    /// <summary>Gets what takes the calls of code.</summary>
    public RecurringCalls Calls { get; }

    /// <summary>Runs on a connection until it ends. It does not throw.</summary>
    public Task RunAsync(IConnection connection, CancellationToken cancellationToken) =>
        Task.WhenAll(_runner.RunAsync(connection, cancellationToken), WriteAddedAsync(cancellationToken));

    private async Task WriteAddedAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && _written.Count < _added.Count)
        {
            foreach (var added in _added.Where(one => !_written.Contains(one)))
            {
                await WriteAsync(added, cancellationToken).ConfigureAwait(false);
            }

            if (_written.Count < _added.Count)
            {
                await Task.Delay(Pause, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WriteAsync(RecurringRegistration added, CancellationToken cancellationToken)
    {
        try
        {
            // MassTransit repeats a send for ever whose queue is there with other arguments
            await Calls.ScheduleAsync(added.CommandOn(_bus()), call: null, cancellationToken).WaitAsync(Patience, _time, cancellationToken).ConfigureAwait(false);
            _written.Add(added);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // the next connection
        }
#pragma warning disable CA1031 // whatever it was, the service runs; it is said, and tried again
        catch (Exception exception)
        {
            LogNotWritten(added.CommandOn(_bus()).Schedule.ScheduleId, exception.Message.TrimEnd('.'));
        }
#pragma warning restore CA1031
    }

    [LoggerMessage(EventId = LogEvents.RecurrenceNotWritten, Level = LogLevel.Warning, Message = "What recurs as '{Id}' was not written: {Reason}. It is tried again in some seconds.")]
    private partial void LogNotWritten(string id, string reason);
}
