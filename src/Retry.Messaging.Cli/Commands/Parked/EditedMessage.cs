using System.Text;
using System.Text.Json;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>Has the body of one parked message edited.</summary>
/// <param name="Body">What was saved.</param>
/// <param name="Set">The message that was shown; no other is sent.</param>
internal sealed record EditedMessage(byte[] Body, LotSet Set)
{
    /// <summary>Reads the message, and has it edited.</summary>
    /// <returns>What was saved; <see langword="null"/> where there is no such message.</returns>
    /// <exception cref="ParkingException">The body is not JSON, before or after, or was not changed: nothing is to be sent.</exception>
    public static async Task<EditedMessage?> EditAsync(CliHost host, IParkingLot lot, string queue, string id, CancellationToken cancellationToken)
    {
        await foreach (var message in lot.ShowAsync(queue, ParkedFilter.OfIds(id) with { Limit = 1 }, progress: null, cancellationToken).ConfigureAwait(false))
        {
            var shown = JsonOutput.TryIndent(message.Body!.Value) ?? throw new ParkingException($"Message {id} was not changed: found a body that is not JSON, which cannot be checked after an edit. Replay it without --edit.");
            var set = new LotSet();
            set.Add(message);
            var saved = await BodyEditor.EditAsync(host, shown, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(saved) == shown
                ? throw new ParkingException($"Message {id} was not sent: nothing in its body was changed.")
                : new EditedMessage(Checked(id, saved), set);
        }

        return null;
    }

    private static byte[] Checked(string id, byte[] saved)
    {
        try
        {
            using var document = JsonDocument.Parse(saved);
            return saved;
        }
        catch (JsonException exception)
        {
            throw new ParkingException($"Message {id} was not sent: what was saved is not JSON (line {exception.LineNumber + 1}, column {exception.BytePositionInLine + 1}). Run the command again.", exception);
        }
    }
}
