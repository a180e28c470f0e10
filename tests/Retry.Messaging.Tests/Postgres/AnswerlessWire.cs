using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>A TCP proxy before PostgreSQL that cuts a connection off when its COMMIT has been answered, before the client gets the answer.</summary>
internal sealed class AnswerlessWire : IAsyncDisposable
{
    private static readonly byte[] Committed = [.. Encoding.ASCII.GetBytes("COMMIT\0"), (byte)'Z'];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly int _server;
    private readonly Task _accepting;
    private int _armed;
    private int _swallowed;

    public AnswerlessWire(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Gets how many answers to a COMMIT were swallowed.</summary>
    public int Swallowed => Volatile.Read(ref _swallowed);

    /// <summary>Has so many of the next answers to a COMMIT get lost.</summary>
    public void Swallow(int answers) => Volatile.Write(ref _armed, answers);

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_ended.Token);
                var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, _server, _ended.Token);
                _ = PumpAsync(client, server, static _ => true);
                _ = PumpAsync(server, client, MayGoOn);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // disposed
        }
    }

    // the server has committed when it says so, in the tag of the command
    private bool MayGoOn(ReadOnlyMemory<byte> answer)
    {
        if (answer.Span.IndexOf(Committed) < 0 || Interlocked.Decrement(ref _armed) < 0)
        {
            return true;
        }

        Interlocked.Increment(ref _swallowed);
        return false;
    }

    private static async Task PumpAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, bool> mayGoOn)
    {
        var buffer = new byte[65536];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0 && mayGoOn(buffer.AsMemory(0, read)))
            {
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
