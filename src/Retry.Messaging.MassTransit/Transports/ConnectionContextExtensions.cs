using MassTransit.RabbitMqTransport;

namespace Retry.Messaging.MassTransit.Transports;

internal static class ConnectionContextExtensions
{
    /// <summary>The virtual host that the connection is to.</summary>
    public static string VirtualHost(this ConnectionContext connection)
    {
        var name = Uri.UnescapeDataString(connection.HostAddress.AbsolutePath.Trim('/'));
        return name.Length == 0 ? "/" : name;
    }
}
