using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A TCP proxy before the broker that notes when each publish to an exchange passes, whoever sends it.</summary>
/// <remarks>A thread of its own for each direction: a busy thread pool must not blur the instants.</remarks>
public sealed class WireTap : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _broker;
    private readonly string _exchange;
    private readonly ConcurrentQueue<long> _publishes = new();
    private readonly ConcurrentBag<Socket> _sockets = [];
    private volatile bool _disposed;

    public WireTap(Uri broker, string exchange)
    {
        _broker = broker;
        _exchange = exchange;
        _listener.Start();
        Address = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        Start(Accept);
    }

    /// <summary>Where to connect instead of to the broker.</summary>
    public Uri Address { get; }

    /// <summary>When publishes passed, in <see cref="Stopwatch"/> timestamps.</summary>
    public IReadOnlyList<long> Publishes => [.. _publishes];

    public int Count => _publishes.Count;

    public void Dispose()
    {
        _disposed = true;
        _listener.Stop();
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }
    }

    private static void Start(ThreadStart run) => new Thread(run) { IsBackground = true }.Start();

    private void Accept()
    {
        try
        {
            while (!_disposed)
            {
                var client = _listener.AcceptSocket();
                client.NoDelay = true;
                _sockets.Add(client);
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                _sockets.Add(server);
                try
                {
                    server.Connect(IPAddress.Loopback, _broker.Port);
                }
                catch (SocketException)
                {
                    client.Dispose();
                    continue;
                }

                Start(() => Pump(client, server, new PublishFrames(_exchange, _publishes.Enqueue)));
                Start(() => Pump(server, client, null));
            }
        }
        catch (SocketException)
        {
            // disposed
        }
        catch (ObjectDisposedException)
        {
            // disposed
        }
    }

    private static void Pump(Socket from, Socket to, PublishFrames? frames)
    {
        var buffer = new byte[65536];
        try
        {
            int read;
            while ((read = from.Receive(buffer)) > 0)
            {
                var now = Stopwatch.GetTimestamp();
                frames?.Read(buffer.AsSpan(0, read), now);
                for (var sent = 0; sent < read;)
                {
                    sent += to.Send(buffer, sent, read - sent, SocketFlags.None);
                }
            }
        }
        catch (SocketException)
        {
            // one side is gone
        }
        catch (ObjectDisposedException)
        {
            // one side is gone
        }

        // what one side has ended, the other must see at once
        from.Dispose();
        to.Dispose();
    }
}
