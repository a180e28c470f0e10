using System.Text;
using RabbitMQ.Client;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>Reads what a parked message says of itself.</summary>
internal static class Parked
{
    public static string? Header(this BasicGetResult message, string name) => message.BasicProperties.Headers is { } headers && headers.TryGetValue(name, out var value)
        ? value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture)
        : null;

    public static string? Reason(this BasicGetResult message) => message.Header("retry-reason");

    /// <summary>Neither of MassTransit's own queues for trouble has come into being.</summary>
    public static async Task ShouldHaveLeftNothingBehindAsync(this RawClient raw, string queue)
    {
        (await raw.CountAsync(queue)).ShouldBe(0u);
        (await raw.CountAsync(queue + "_error")).ShouldBeNull();
        (await raw.CountAsync(queue + "_skipped")).ShouldBeNull();
    }
}
