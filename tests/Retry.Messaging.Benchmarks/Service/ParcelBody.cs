using System.Globalization;
using System.Text;
using RabbitMQ.Client;

namespace Retry.Messaging.Benchmarks.Service;

/// <summary>A parcel on the wire, as MassTransit writes it: both sides of each comparison get the same bytes and properties.</summary>
internal static class ParcelBody
{
    /// <summary>How many bytes of text a parcel carries; the envelope adds some 700.</summary>
    public const int TextBytes = 256;

    private const int NumberDigits = 8;
    private const string ContentType = "application/vnd.masstransit+json";

    private static readonly string Text = new('x', TextBytes);

    /// <summary>The properties of a parcel. Its number is in the message id, where a raw client reads it without looking into the body.</summary>
    public static BasicProperties Properties(int number) => new()
    {
        ContentType = ContentType,
        DeliveryMode = DeliveryModes.Persistent,
        MessageId = IdOf(number).ToString("D"),
        Headers = new Dictionary<string, object?> { ["Content-Type"] = ContentType },
    };

    /// <summary>The body of a parcel.</summary>
    public static byte[] Of(int number) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$$"""
        {"messageId":"{{{IdOf(number):D}}}","requestId":null,"correlationId":null,"conversationId":"{{{IdOf(number):D}}}","initiatorId":null,"sourceAddress":"rabbitmq://localhost/bench_shop_bus","destinationAddress":"rabbitmq://localhost/Retry.Messaging.Benchmarks.Service:Parcel","responseAddress":null,"faultAddress":null,"messageType":["urn:message:Retry.Messaging.Benchmarks.Service:Parcel"],"message":{"number":{{{number}}},"text":"{{{Text}}}"},"expirationTime":null,"sentTime":"2026-11-01T12:00:00.0000000Z","headers":{},"host":{"machineName":"bench","processName":"bench","processId":1,"assembly":"bench","assemblyVersion":"1.0.0.0","frameworkVersion":"10.0.0","massTransitVersion":"8.4.0.0","operatingSystemVersion":"Unix"}}
        """));

    /// <summary>Reads the number of a parcel from its properties.</summary>
    public static int NumberOf(IReadOnlyBasicProperties properties) =>
        int.Parse(properties.MessageId.AsSpan(0, NumberDigits), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static Guid IdOf(int number) => new(number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}
