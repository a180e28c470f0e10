using System.Net;
using System.Net.Sockets;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>A TCP proxy before the broker that hands on late, or no more, what clients send, and can cut them off.</summary>
public sealed class StallingWire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly List<Socket> _sockets = [];
    private readonly Uri _broker;
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _stalled;
    private int _accepted;

    public StallingWire(Uri broker)
    {
        _broker = broker;
        _listener.Start();
        Address = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;
        _accepting = AcceptAsync();
    }

    /// <summary>Where to connect instead of to the broker.</summary>
    public Uri Address { get; }

    /// <summary>How many connections were made by it.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Lets nothing through any more that clients send; their sockets fill up.</summary>
    public void Stall() => _stalled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How long everything that clients send is on its way.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Waits until what clients have sent no longer grows: their sockets are full.</summary>
    public async Task WaitUntilFullAsync(TimeSpan deadline)
    {
        var (before, same) = (-1, 0);
        await Eventually.TrueAsync(
            () =>
            {
                var now = Copy().Where(socket => socket.Connected).Sum(socket => socket.Available);
                (before, same) = (now, now == before && now > 0 ? same + 1 : 0);
                return same == 5;
            },
            deadline,
            () => $"{before} bytes wait in them, unchanged {same} times",
            every: TimeSpan.FromMilliseconds(100));
    }

    /// <summary>Cuts all clients off, as a machine that is reset does.</summary>
    public void Reset()
    {
        foreach (var socket in Copy())
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (ObjectDisposedException)
            {
                // cut off already
            }

            socket.Dispose();
        }

        _stalled?.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        Reset();
        await _accepting;
        _ended.Dispose();
    }

    private Socket[] Copy()
    {
        lock (_sockets)
        {
            return [.. _sockets];
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_ended.Token);
                Interlocked.Increment(ref _accepted);
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (_sockets)
                {
                    _sockets.AddRange([client, server]);
                }

                await server.ConnectAsync(IPAddress.Loopback, _broker.Port, _ended.Token);
                _ = PumpAsync(client, server, () => _stalled?.Task ?? Simulate.WorkAsync(Delay));
                _ = PumpAsync(server, client, static () => Task.CompletedTask);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // disposed
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, Func<Task> mayGoOn)
    {
        var buffer = new byte[65536];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                await mayGoOn();
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // one side is gone
        }

        from.Dispose();
        to.Dispose();
    }
}
