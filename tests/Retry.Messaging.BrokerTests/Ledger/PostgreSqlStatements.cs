using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>Tells of every statement that this process sends to PostgreSQL, before the server gets it: BEGIN and COMMIT as well.</summary>
/// <remarks>A relay in this process reads what Npgsql sends. It is killed and stopped with the process, as Npgsql itself is.</remarks>
internal static class PostgreSqlStatements
{
    private const byte Query = (byte)'Q';
    private const byte Parse = (byte)'P';
    private const int LengthSize = sizeof(int);

    /// <summary>Begins to tell.</summary>
    /// <param name="connectionString">The server.</param>
    /// <param name="told">Gets the statement, before it is sent on.</param>
    /// <returns>How to connect through the relay.</returns>
    public static string Begin(string connectionString, Action<string> told)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _ = AcceptAsync(listener, server.Host!, server.Port, told);
        return new NpgsqlConnectionStringBuilder(connectionString)
        {
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
    }

    private static async Task AcceptAsync(TcpListener listener, string host, int port, Action<string> told)
    {
        while (true)
        {
            _ = RelayAsync(await listener.AcceptTcpClientAsync(), host, port, told);
        }
    }

    private static async Task RelayAsync(TcpClient client, string host, int port, Action<string> told)
    {
        using var _ = client;
        using var server = new TcpClient { NoDelay = true };
        client.NoDelay = true;
        await server.ConnectAsync(host, port);
        // whichever side closes first, the other is closed, too
        await Task.WhenAny(SendOnAsync(client.GetStream(), server.GetStream(), told), server.GetStream().CopyToAsync(client.GetStream()));
    }

    // the first message, which opens the connection, is the only one without a type
    private static async Task SendOnAsync(NetworkStream client, NetworkStream server, Action<string> told)
    {
        for (var header = 0; ; header = 1)
        {
            var message = new byte[header + LengthSize];
            await client.ReadExactlyAsync(message);
            Array.Resize(ref message, header + BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(header)));
            await client.ReadExactlyAsync(message.AsMemory(header + LengthSize));
            if (header > 0 && message[0] is Query or Parse)
            {
                // a statement that is parsed has a name before its text
                var texts = Encoding.UTF8.GetString(message.AsSpan(header + LengthSize)).Split('\0');
                told(message[0] == Query ? texts[0] : texts[1]);
            }

            await server.WriteAsync(message);
        }
    }
}
