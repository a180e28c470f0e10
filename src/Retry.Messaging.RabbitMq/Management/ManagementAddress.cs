using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>Where a broker's management API is; the credentials are the broker's own.</summary>
internal sealed class ManagementAddress
{
    private const string Wanted = "http(s)://host:port";
    private const int PlainPort = 15672;
    private const int TlsPort = 15671;

    private ManagementAddress(Uri root, bool isDefault)
    {
        Root = root;
        IsDefault = isDefault;
    }

    /// <summary>The address, ending with a slash.</summary>
    public Uri Root { get; }

    /// <summary>Whether it was taken from the broker's address because none was named.</summary>
    public bool IsDefault { get; }

    /// <summary>The address that was named, or the broker's host with the port that RabbitMQ uses unless it is told otherwise.</summary>
    /// <exception cref="FormatException">It cannot be read; the message does not repeat it, since it may contain a password.</exception>
    public static ManagementAddress Of(BrokerAddress broker, string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return new ManagementAddress(
                new UriBuilder(broker.UseTls ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, broker.Host, broker.UseTls ? TlsPort : PlainPort).Uri,
                isDefault: true);
        }

        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw new FormatException($"Found no http or https address of the management API, wanted {Wanted}.");
        }

        if (uri.UserInfo.Length > 0)
        {
            throw new FormatException($"Found a user or password in the management API's address, wanted {Wanted}. Leave them out: the management API gets the user and password of the broker's address.");
        }

        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
        {
            throw new FormatException($"Found a '?' or '#' in the management API's address, wanted {Wanted}.");
        }

        // with or without the path that people copy from the browser
        var path = uri.AbsolutePath.TrimEnd('/');
        path = path.EndsWith("/api", StringComparison.Ordinal) ? path[..^"/api".Length] : path;
        return new ManagementAddress(new UriBuilder(uri) { Path = path + "/" }.Uri, isDefault: false);
    }

    /// <inheritdoc/>
    public override string ToString() => Root.AbsoluteUri.TrimEnd('/');
}
