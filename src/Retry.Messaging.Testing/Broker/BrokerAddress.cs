namespace Retry.Messaging.Testing;

/// <summary>Where a broker is and how to log in.</summary>
/// <param name="Host">The host name or address.</param>
/// <param name="Port">The AMQP port.</param>
/// <param name="UserName">The user.</param>
/// <param name="Password">The user's password.</param>
/// <param name="VirtualHost">The virtual host.</param>
public sealed record BrokerAddress(string Host, int Port, string UserName, string Password, string VirtualHost = "/")
{
    /// <summary>Gets a value indicating whether the port speaks TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>Gets the root of the management API, or null where there is none.</summary>
    public Uri? ManagementUri { get; init; }

    /// <summary>Gets the address to connect to, with user, password and virtual host.</summary>
    public Uri AmqpUri => new(
        $"{(Tls ? "amqps" : "amqp")}://{Uri.EscapeDataString(UserName)}:{Uri.EscapeDataString(Password)}@{Host}:{Port}/{Uri.EscapeDataString(VirtualHost)}");

    /// <summary>Reads an AMQP URI; a missing part has RabbitMQ's default.</summary>
    /// <param name="uri"><c>amqp(s)://user:password@host:port/virtual-host</c>.</param>
    /// <param name="management">The management API; null for RabbitMQ's own port on the same host.</param>
    public static BrokerAddress Parse(Uri uri, Uri? management)
    {
        var tls = uri.Scheme == "amqps";
        var credentials = uri.UserInfo.Split(':', 2);
        return new BrokerAddress(
            uri.Host,
            uri.IsDefaultPort || uri.Port < 0 ? (tls ? 5671 : 5672) : uri.Port,
            credentials[0].Length == 0 ? "guest" : Uri.UnescapeDataString(credentials[0]),
            credentials.Length < 2 ? "guest" : Uri.UnescapeDataString(credentials[1]),
            uri.AbsolutePath.Length < 2 ? "/" : Uri.UnescapeDataString(uri.AbsolutePath[1..]))
        {
            Tls = tls,
            ManagementUri = management ?? new Uri(tls ? $"https://{uri.Host}:15671" : $"http://{uri.Host}:15672"),
        };
    }
}
