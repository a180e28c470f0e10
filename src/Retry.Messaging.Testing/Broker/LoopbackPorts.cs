using System.Net;
using System.Net.Sockets;

namespace Retry.Messaging.Testing;

/// <summary>Finds ports on 127.0.0.1 that are free now and likely to stay so, for an <see cref="IBrokerSource"/>.</summary>
public static class LoopbackPorts
{
    // Below the range that Linux hands to outgoing connections (32768 and up), so that a port is still ours after a
    // restart of the node; above those that well-known services use.
    private const int First = 21_000;
    private const int End = 32_000;

    /// <summary>Finds free ports between 21,000 and 32,000.</summary>
    /// <param name="count">How many.</param>
    /// <returns>Different ports. Another process may take one before its user listens.</returns>
    /// <exception cref="BrokerUnavailableException">There are too few.</exception>
    public static IReadOnlyList<int> Take(int count)
    {
        var ports = new int[count];
        var held = new List<Socket>(count);
        try
        {
            for (var tries = 0; held.Count < count; tries++)
            {
                if (tries > 1000)
                {
                    throw new BrokerUnavailableException(
                        $"Found no {count} free ports between {First} and {End} on 127.0.0.1 in {tries} tries; a private broker wants them. " +
                        "Look for what holds them with 'ss -ltn'.");
                }

                var port = Random.Shared.Next(First, End);
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    // Any, not loopback: a service on another address of this machine makes the port taken for epmd's ::1 too.
                    socket.Bind(new IPEndPoint(IPAddress.Any, port));
                    ports[held.Count] = port;
                    held.Add(socket);
                }
                catch (SocketException)
                {
                    socket.Dispose();
                }
            }
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }

        return ports;
    }

    internal static async Task<bool> AnswersAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
