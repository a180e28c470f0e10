using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Parking;

/// <summary>A parked message as a line of JSON, with all that makes it the same message again.</summary>
/// <param name="Id">Its id, for people.</param>
/// <param name="Queue">The work queue in whose parking lot it was, for people.</param>
/// <param name="Reason">Why it was parked, for people.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="Body">Its body, as base64.</param>
internal sealed record ExportedMessage(string Id, string Queue, string Reason, ExportedProperties Properties, byte[] Body)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>A message that was read with its body.</summary>
    public static ExportedMessage Of(ParkedMessage message) =>
        new(message.Id, message.WorkQueue, message.Reason.Name, ExportedProperties.Of(message.Properties!), message.Body!.Value.ToArray());

    /// <summary>The line.</summary>
    public string ToLine() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static ExportedMessage Read(string line)
    {
        try
        {
            var message = JsonSerializer.Deserialize<ExportedMessage>(line, Json) ?? throw new FormatException("found null");
            message.Properties.ToProperties();
            return message;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or OverflowException)
        {
            throw new FormatException($"found no exported message ({exception.Message.Split(" Path:")[0].TrimEnd('.')})", exception);
        }
    }
}
