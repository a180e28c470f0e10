using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Puts exported messages into a parking lot, as they were.</summary>
/// <remarks>
/// What lies there already is left out, so an import that was cut off is simply run again. So is a message whose id lies there in another
/// state, because it was replayed since the export and failed again: a replay of both would run it twice.
/// All lines are read before the first message is put: a file with a line that is none changes nothing.
/// </remarks>
/// <param name="connection">The connection.</param>
/// <param name="names">The point.</param>
/// <param name="time">The clock.</param>
internal sealed class ParkedImport(IConnection connection, RetryPointNames names, TimeProvider time)
{
    private const int Window = 500;

    /// <summary>How many messages were put.</summary>
    public int Count { get; private set; }

    /// <summary>How many were there already.</summary>
    public int AlreadyThere { get; private set; }

    /// <summary>How many were left out because a message with their id is there that was replayed since.</summary>
    public int ReplayedSince { get; private set; }

    /// <summary>Reads all lines, and puts the messages.</summary>
    /// <param name="lines">Gives the lines, each time from the first one on.</param>
    /// <param name="cancellationToken">Ends it; what was put stays.</param>
    /// <exception cref="ParkingException">A line is no exported message, or there is no parking lot; or the broker refused a message.</exception>
    public async Task RunAsync(Func<IEnumerable<string>> lines, CancellationToken cancellationToken)
    {
        foreach (var _ in Messages(lines()))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        var lot = await new WayBack(connection, time).FindParkingLotAsync(names, cancellationToken).ConfigureAwait(false)
            ?? throw new ParkingException($"Found no queue '{names.Parked}' to import into; nothing was changed. Start the service that owns it, or run 'retryctl topology apply --point {names.Work}'.") { IsUnknownQueue = true };
        var (there, ids) = await ReadLotAsync(cancellationToken).ConfigureAwait(false);
        var publisher = new ConfirmedPublisher(connection, Window, time);
        await using var ends = publisher.ConfigureAwait(false);
        foreach (var batch in Messages(lines()).Where(message => !IsThere(there, ids, message)).Chunk(Window))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.WhenAll(batch.Select(message => PutAsync(publisher, message, lot))).ConfigureAwait(false);
            Count += batch.Length;
        }
    }

    private async Task PutAsync(ConfirmedPublisher publisher, ExportedMessage message, string lot)
    {
        try
        {
            await publisher.PublishAsync(
                BrokerNames.ParkingExchange,
                names.Work,
                message.Properties.ToProperties(),
                message.Body,
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (PublishRefusedException exception)
        {
            throw new ParkingException($"The import into '{lot}' stopped: {exception.Message} Run it again when the cause is gone: what was put is left out then.", exception);
        }
    }

    private async Task<(LotSet Messages, HashSet<ulong> Ids)> ReadLotAsync(CancellationToken cancellationToken)
    {
        var (messages, ids) = (new LotSet(), new HashSet<ulong>());
        var request = new LotRequest(ParkedFilter.All);
        var reader = await LotReader.OpenAsync(connection, LotSource.ParkingLot(names), request, time, cancellationToken).ConfigureAwait(false);
        await using var ends = reader.ConfigureAwait(false);
        await foreach (var message in reader.LookAsync(limit: null, progress: null, cancellationToken).ConfigureAwait(false))
        {
            messages.Add(message);
            ids.Add(LotKey.OfId(message));
        }

        return (messages, ids);
    }

    private bool IsThere(LotSet there, HashSet<ulong> ids, ExportedMessage message)
    {
        var parked = ParkedMessageReader.Read(message.Properties.ToProperties(), message.Body, names);
        if (there.TryMeet(parked))
        {
            AlreadyThere++;
            return true;
        }

        if (ids.Contains(LotKey.OfId(parked)))
        {
            ReplayedSince++;
            return true;
        }

        return false;
    }

    private static IEnumerable<ExportedMessage> Messages(IEnumerable<string> lines)
    {
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            ExportedMessage message;
            try
            {
                message = ExportedMessage.Read(line);
            }
            catch (FormatException exception)
            {
                throw new ParkingException($"Line {number} cannot be imported, so nothing was changed: {exception.Message}. Wanted lines as 'retryctl parked export' writes them.", exception);
            }

            yield return message;
        }
    }
}
