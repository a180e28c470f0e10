using System.Text.Json;
using MassTransit;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>The content of a message: what its sender meant, without the envelope that each sending has of its own.</summary>
internal static class MessageContent
{
    private const string Envelope = "application/vnd.masstransit+json";

    /// <summary>The hash of a message's content.</summary>
    public static string HashOf<T>(ConsumeContext<T> context)
        where T : class
    {
        switch (context.ReceiveContext.ContentType?.MediaType)
        {
            case Envelope:
                using (var document = JsonDocument.Parse(context.ReceiveContext.GetBody()))
                {
                    return CanonicalJson.Hash(MessageIn(document.RootElement));
                }

            case "application/json":
                using (var document = JsonDocument.Parse(context.ReceiveContext.GetBody()))
                {
                    return CanonicalJson.Hash(document.RootElement);
                }

            default:
                return HashOf(context.Message);
        }
    }

    /// <summary>The hash of what stands for a message's content.</summary>
    public static string HashOf(object? content) => CanonicalJson.Hash(JsonSerializer.SerializeToElement(content));

    private static JsonElement MessageIn(JsonElement envelope)
    {
        foreach (var member in envelope.EnumerateObject())
        {
            if (member.Name.Equals("message", StringComparison.OrdinalIgnoreCase))
            {
                return member.Value;
            }
        }

        return envelope;
    }
}
