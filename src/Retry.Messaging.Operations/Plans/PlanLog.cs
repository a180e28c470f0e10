using System.Text.Json;
using System.Text.Json.Serialization;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>The plans of all queues of a virtual host, a document for each queue, in a stream.</summary>
internal sealed class PlanLog : IAsyncDisposable
{
    private const string Kind = "retry.plans";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    private readonly ControlLog _log;
    private readonly TimeProvider _time;

    private PlanLog(ControlLog log, TimeProvider time) => (_log, _time) = (log, time);

    /// <summary>Why nothing more is read; <see langword="null"/> while it is.</summary>
    public string? Failure => _log.Failure;

    /// <summary>The books of all queues.</summary>
    /// <exception cref="ParkingException">One cannot be read.</exception>
    public IReadOnlyList<PlanBook> Books => [.. _log.OfKind(Kind).Select(Read)];

    /// <summary>Opens the log and reads to its end.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="declare">Whether the stream is declared where there is none: only who makes a plan needs it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">It cannot be read. That is never the same as "there is no plan".</exception>
    public static async Task<PlanLog> OpenAsync(IConnection connection, bool declare, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var stream = new RecordStream(connection, BrokerNames.PlanStream, ControlLog.Retention, time);
            return new(await ControlLog.OpenAsync(stream, declare, static _ => { }, static () => { }, cancellationToken).ConfigureAwait(false), time);
        }
        catch (ControlException exception)
        {
            throw new ParkingException($"The plans could not be read, so nothing was moved. {exception.Message}", exception);
        }
    }

    /// <summary>Waits until all that was written by now is read. One at a time.</summary>
    /// <exception cref="ControlException">The log can no longer be followed.</exception>
    public Task CatchUpAsync(CancellationToken cancellationToken) => _log.CatchUpAsync(cancellationToken);

    /// <summary>The plans of a queue.</summary>
    /// <exception cref="ParkingException">They cannot be read.</exception>
    public PlanBook BookOf(string queue) => _log.Find(Kind, queue) is { } record ? Read(record) : new PlanBook(queue);

    /// <summary>Writes the plans of a queue, all of them.</summary>
    /// <exception cref="ParkingException">They could not be written, or somebody else wrote first.</exception>
    public async Task WriteAsync(PlanBook book, string by, CancellationToken cancellationToken)
    {
        var record = new ControlRecord(Kind, book.Queue, (_log.Find(Kind, book.Queue)?.Version ?? 0) + 1, JsonSerializer.SerializeToUtf8Bytes(book, Json))
        {
            By = by,
            At = _time.GetUtcNow(),
        };
        try
        {
            if (await _log.AppendAsync(record, cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }
        catch (ControlException exception)
        {
            throw new ParkingException($"The plans of '{book.Queue}' could not be written. {exception.Message}", exception);
        }

        throw new ParkingException($"The plans of '{book.Queue}' were changed by somebody else at the same time. Run 'retryctl plans list', then the command again.");
    }

    public ValueTask DisposeAsync() => _log.DisposeAsync();

    private static PlanBook Read(ControlRecord record)
    {
        try
        {
            return JsonSerializer.Deserialize<PlanBook>(record.Body.Span, Json) is { } book && book.Queue == record.Key
                ? book
                : throw new JsonException("it names another queue");
        }
        catch (JsonException exception)
        {
            throw new ParkingException(
                $"Found plans of '{record.Key}' that this version cannot read ({exception.Message}). Use the version of retryctl that wrote them, by {record.By}.",
                exception);
        }
    }
}
