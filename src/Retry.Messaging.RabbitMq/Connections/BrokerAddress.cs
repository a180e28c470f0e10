using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>Where a broker is and who connects: <c>amqp(s)://user:password@host:port/vhost</c>.</summary>
/// <remarks>No message of this class, and not <see cref="ToString"/>, ever contains the password.</remarks>
public sealed class BrokerAddress
{
    private const string Wanted = "amqp://user:password@host:port/vhost (or amqps://…)";
    private const string Mask = "***";
    private const string DefaultUser = "guest";
    private const string DefaultVirtualHost = "/";
    internal const int PlainPort = 5672;
    internal const int TlsPort = 5671;

    internal static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // closing a channel that holds a million messages takes a busy broker more than the client's 20 seconds
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(2);

    private readonly string _password;

    private BrokerAddress(bool useTls, string user, string password, bool hasPassword, string host, int port, string virtualHost)
    {
        UseTls = useTls;
        User = user;
        _password = password;
        HasPassword = hasPassword;
        Host = host;
        Port = port;
        VirtualHost = virtualHost;
    }

    /// <summary>Gets a value indicating whether the connection is encrypted (amqps).</summary>
    public bool UseTls { get; }

    /// <summary>Gets the user's name.</summary>
    /// <value>The default is <c>guest</c>.</value>
    public string User { get; }

    /// <summary>Gets a value indicating whether the address itself contains a password; without one it is <c>guest</c>.</summary>
    public bool HasPassword { get; }

    /// <summary>Gets the host name or address.</summary>
    public string Host { get; }

    /// <summary>Gets the port.</summary>
    /// <value>The default is 5672, with TLS 5671.</value>
    public int Port { get; }

    /// <summary>Gets the virtual host.</summary>
    /// <value>The default is <c>/</c>.</value>
    public string VirtualHost { get; }

    /// <summary>Reads an address.</summary>
    /// <param name="text">For example <c>amqp://shop:secret@rabbit.example:5672/orders</c>.</param>
    /// <exception cref="FormatException">It is none; the message says found, wanted and what to do, without the password.</exception>
    public static BrokerAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var trimmed = text.Trim();
        var schemeEnd = trimmed.IndexOf("://", StringComparison.Ordinal);
        // what stands before "://" may be half of a password when the scheme was forgotten, so it is not repeated
        var useTls = schemeEnd < 0 ? throw Wrong("no scheme", "Start it with amqp:// or amqps://.") : trimmed[..schemeEnd].ToLowerInvariant() switch
        {
            "amqp" => false,
            "amqps" => true,
            "http" or "https" => throw Wrong("an http address", "Give the AMQP address, not that of the management page."),
            _ => throw Wrong("another scheme", "Start it with amqp:// or amqps://."),
        };

        var rest = trimmed[(schemeEnd + 3)..];
        if (rest.Contains('?', StringComparison.Ordinal) || rest.Contains('#', StringComparison.Ordinal))
        {
            throw Wrong("a '?' or '#'", "Leave out what follows it; inside a password write %3F for '?' and %23 for '#'.");
        }

        var at = rest.LastIndexOf('@');
        var (user, password, hasPassword) = Credentials(at < 0 ? null : rest[..at]);
        var place = rest[(at + 1)..];
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        var (host, port) = Endpoint(slash < 0 ? place : place[..slash], useTls);
        var path = slash < 0 ? "" : place[(slash + 1)..];
        if (path.Contains('/', StringComparison.Ordinal))
        {
            throw Wrong("a virtual host with a '/' in it", "Write it as %2F.");
        }

        var virtualHost = path.Length == 0 ? DefaultVirtualHost : Unescape(path, "virtual host");
        return new BrokerAddress(useTls, user, password, hasPassword, host, port, virtualHost);
    }

    // a process that sleeps is given up after two of them, and others go on with what it had reserved
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(20);

    /// <summary>Opens a connection. It does not recover by itself: its owner should hear of the loss.</summary>
    /// <param name="clientName">The name under which the broker lists the connection.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BrokerConnectionException">It cannot be opened; the message is one line that says why and what to do.</exception>
    public Task<IConnection> ConnectAsync(string clientName, CancellationToken cancellationToken = default) =>
        ConnectAsync(clientName, static _ => { }, cancellationToken);

    /// <summary>Opens a connection; <paramref name="prepare"/> may adjust the factory first.</summary>
    internal async Task<IConnection> ConnectAsync(string clientName, Action<ConnectionFactory> prepare, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientName);
        var factory = new ConnectionFactory
        {
            HostName = Host,
            Port = Port,
            UserName = User,
            Password = _password,
            VirtualHost = VirtualHost,
            AutomaticRecoveryEnabled = false,
            RequestedHeartbeat = Heartbeat,
            RequestedConnectionTimeout = ConnectTimeout,
            ContinuationTimeout = AnswerTimeout,
            Ssl = new SslOption { Enabled = UseTls, ServerName = Host, AcceptablePolicyErrors = SslPolicyErrors.None },
        };
        prepare(factory);
        try
        {
            return await BrokerConnector.OpenAsync(factory, clientName, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested
            && exception is BrokerUnreachableException or OperationInterruptedException or IOException
                or SocketException or AuthenticationException or TimeoutException or OperationCanceledException)
        {
            throw new BrokerConnectionException(BrokerConnector.Explain(this, exception), exception);
        }
    }

    /// <summary>The address with its password masked.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(UseTls ? "amqps" : "amqp")}://{Uri.EscapeDataString(User)}{(HasPassword ? ":" + Mask : "")}@{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}/{(VirtualHost == DefaultVirtualHost ? "" : Uri.EscapeDataString(VirtualHost))}");

    /// <summary>The same user and password, for the management API.</summary>
    internal AuthenticationHeaderValue BasicAuthorization() =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{_password}")));

    private static FormatException Wrong(string found, string next) => new($"Found {found} in the broker's address, wanted {Wanted}. {next}");

    private static (string User, string Password, bool HasPassword) Credentials(string? text)
    {
        if (text is null)
        {
            return (DefaultUser, DefaultUser, false);
        }

        // A '/' this far left means that the host was looked for inside the password.
        if (text.Contains('/', StringComparison.Ordinal) || text.Contains('@', StringComparison.Ordinal))
        {
            throw Wrong("a '/' or '@' inside user or password", "Write %2F for '/' and %40 for '@'.");
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var user = Unescape(colon < 0 ? text : text[..colon], "user");
        return user.Length == 0
            ? throw Wrong("no user before the '@'", "Name one, or leave out the '@' too.")
            : (user, colon < 0 ? DefaultUser : Unescape(text[(colon + 1)..], "password"), colon >= 0);
    }

    private static (string Host, int Port) Endpoint(string text, bool useTls)
    {
        var host = text;
        string? port = null;
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
            {
                throw Wrong("a '[' without ']'", "Write an IPv6 address as [::1].");
            }

            host = text[1..end];
            port = end == text.Length - 1 ? null : text[end + 1] == ':' ? text[(end + 2)..] : throw Wrong("text after the ']'", "Only :port may follow.");
        }
        else if (text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon)
        {
            host = text[..colon];
            port = text[(colon + 1)..];
        }

        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw Wrong(host.Length == 0 ? "no host" : "a host that is no name or address", "Check what stands between '@' (or '://') and the port.");
        }

        if (port is null)
        {
            return (host, useTls ? TlsPort : PlainPort);
        }

        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= ushort.MaxValue
            ? (host, number)
            : throw Wrong("a port that is no number from 1 to 65535", "Check what follows the host; inside a password write %40 for '@' and %3A for ':'.");
    }

    private static string Unescape(string text, string what)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                throw Wrong($"a '%' in the {what} that no two hexadecimal digits follow", "Write %25 for '%'.");
            }
        }

        return Uri.UnescapeDataString(text);
    }
}
