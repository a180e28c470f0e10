namespace Retry.Messaging.Testing;

/// <summary>Where a broker is and how to log in.</summary>
internal sealed record BrokerAddress(string Host, int Port, string UserName, string Password, string VirtualHost = "/")
{
    public bool Tls { get; init; }

    public Uri? ManagementUri { get; init; }

    public Uri AmqpUri => new(
        $"{(Tls ? "amqps" : "amqp")}://{Uri.EscapeDataString(UserName)}:{Uri.EscapeDataString(Password)}@{Host}:{Port}/{Uri.EscapeDataString(VirtualHost)}");

    /// <summary>Reads an AMQP URI; a missing part has RabbitMQ's default.</summary>
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
