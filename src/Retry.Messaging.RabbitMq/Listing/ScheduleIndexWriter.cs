using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Listing;

/// <summary>Writes the index beside the scheduled sends of a process: what has gathered while the last record was written is the next one.</summary>
/// <param name="time">The clock.</param>
/// <param name="random">Where pauses are drawn from.</param>
/// <param name="logger">Where it says what it cannot do.</param>
internal sealed partial class ScheduleIndexWriter(TimeProvider time, Random random, ILogger logger)
{
    private const int MostWaiting = 50_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Channel<ScheduleNotice> _notices = Channel.CreateBounded<ScheduleNotice>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly OncePer _down = new(TimeSpan.FromMinutes(1), time);

    /// <summary>Notes that a message was scheduled. It never waits: without a connection the oldest notices are dropped at last.</summary>
    public void Note(ScheduleNotice notice) => _notices.Writer.TryWrite(notice);

    /// <summary>Writes until the connection ends or it is cancelled. It does not throw.</summary>
    public async Task RunAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var unwritten = new List<ScheduleNotice>();
        while (!cancellationToken.IsCancellationRequested && connection.IsOpen)
        {
            try
            {
                var stream = ScheduleIndex.Open(connection, time);
                await using var ends = stream.ConfigureAwait(false);
                await stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
                await WriteAsync(stream, unwritten, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // what is unwritten by now is missing in the list
            }
#pragma warning disable CA1031 // whatever it was, messages are scheduled without the index
            catch (Exception exception)
            {
                if (connection.IsOpen && _down.IsTime())
                {
                    LogDown(BrokerFailures.Explain(exception).TrimEnd('.'));
                }
            }
#pragma warning restore CA1031

            await Task.Delay(random.Around(Pause), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WriteAsync(RecordStream stream, List<ScheduleNotice> unwritten, CancellationToken cancellationToken)
    {
        while (await _notices.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false) || unwritten.Count > 0)
        {
            while (unwritten.Count < ScheduleIndex.MostInRecord && _notices.Reader.TryRead(out var notice))
            {
                unwritten.Add(notice);
            }

            await stream.AppendAsync(new BasicProperties { Persistent = true }, ScheduleIndex.Write(unwritten), cancellationToken).ConfigureAwait(false);
            unwritten.Clear();
        }
    }

    [LoggerMessage(LogEvents.ScheduleIndexDown, LogLevel.Warning, "What is scheduled is not listed: {Reason}. It is scheduled all the same; 'retryctl schedule list' may miss some of it.")]
    private partial void LogDown(string reason);
}
