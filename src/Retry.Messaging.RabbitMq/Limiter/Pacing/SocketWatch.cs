using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Limiter.Pacing;

/// <summary>Knows when a publish has left the process: when its bytes were given to the socket.</summary>
/// <remarks>
/// The client only queues what it publishes; a task of the thread pool writes it to the socket. On a busy pool that is tens of
/// milliseconds later (measured: 90 messages in one lump at 1,000 per second), so a pace that counts from the call bounds
/// nothing. The client lets its sockets be made by others, and there the instant can be seen, and chosen: the last
/// moments before a message is due are slept in the writer, so that no thread has to be woken up when it is.
/// </remarks>
internal sealed class SocketWatch(TimeProvider time)
{
    private const int HeaderSize = 7;
    private const byte MethodFrame = 1;
    private const ushort BasicClass = 60;
    private const ushort PublishMethod = 40;

    private static readonly TimeSpan QueueLook = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private Expected? _expected;
    private int _channel;
    private bool _encrypted;
    private volatile bool _over;

    /// <summary>Makes a factory open connections as a limiter needs them: watched, soon found dead, and not repaired behind its back.</summary>
    public void Prepare(ConnectionFactory factory)
    {
        factory.RequestedHeartbeat = LimiterOptions.Heartbeat;
        factory.AutomaticRecoveryEnabled = false;
        var sockets = factory.SocketFactory;
        factory.SocketFactory = family => new WatchedClient(sockets(family), this);
    }

    /// <summary>Expects the next publish on a channel; asked for before the publish is handed to the client.</summary>
    /// <param name="channel">The channel's number.</param>
    /// <param name="encrypted">Whether what is sent cannot be read here: then the next write of any kind counts.</param>
    /// <param name="notBefore">When it may leave, a moment ahead at most; in timestamps of the clock.</param>
    /// <returns>The instant after its bytes left, in timestamps of the clock; when the connection ends, the instant of that.</returns>
    public Task<long> ExpectAsync(int channel, bool encrypted, long notBefore)
    {
        // its continuation runs in the client's writer: the next message needs no further wake-up
        var left = new TaskCompletionSource<long>();
        lock (_lock)
        {
            _channel = channel;
            _encrypted = encrypted;
            _expected = new Expected(left, notBefore);
            if (!_over)
            {
                return left.Task;
            }
        }

        left.TrySetResult(time.GetTimestamp());
        return left.Task;
    }

    /// <summary>Nothing leaves any more.</summary>
    public void End()
    {
        TaskCompletionSource<long>? left;
        lock (_lock)
        {
            _over = true;
            left = _expected?.Left;
        }

        // not on the thread that closes the connection
        if (left is not null)
        {
            _ = Task.Run(() => left.TrySetResult(time.GetTimestamp()));
        }
    }

    private async ValueTask WriteAsync(
        Socket socket,
        ReadOnlyMemory<byte> bytes,
        Func<ReadOnlyMemory<byte>,
        CancellationToken,
        ValueTask> write,
        CancellationToken cancellationToken)
    {
        Expected? expected;
        lock (_lock)
        {
            expected = _encrypted || IsPublish(bytes.Span) ? _expected : null;
        }

        if (expected is null)
        {
            await write(bytes, cancellationToken).ConfigureAwait(false);
            return;
        }

        FineDelay.Sleep(expected.NotBefore, time);
        await write(bytes, cancellationToken).ConfigureAwait(false);
        // a short congestion window keeps it in the kernel until the broker's machine has answered, and it leaves with all that follow
        var written = time.GetTimestamp();
        while (!_over && time.GetElapsedTime(written) < LimiterOptions.Heartbeat && SocketQueue.Unsent(socket) > 0)
        {
            await Task.Delay(QueueLook, time, cancellationToken).ConfigureAwait(false);
        }

        lock (_lock)
        {
            _expected = null;
        }

        expected.Left.TrySetResult(time.GetTimestamp());
    }

    // type, channel, size; then class and method. The client writes each command by itself
    private bool IsPublish(ReadOnlySpan<byte> bytes) =>
        bytes.Length > HeaderSize + 4
        && bytes[0] == MethodFrame
        && BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]) == _channel
        && BinaryPrimitives.ReadUInt16BigEndian(bytes[HeaderSize..]) == BasicClass
        && BinaryPrimitives.ReadUInt16BigEndian(bytes[(HeaderSize + 2)..]) == PublishMethod;

    private sealed class WatchedClient(ITcpClient client, SocketWatch watch) : ITcpClient
    {
        public bool Connected => client.Connected;

        public TimeSpan ReceiveTimeout
        {
            get => client.ReceiveTimeout;
            set => client.ReceiveTimeout = value;
        }

        public Socket Client => client.Client;

        public Task ConnectAsync(IPAddress host, int port, CancellationToken cancellationToken = default) => client.ConnectAsync(host, port, cancellationToken);

        public NetworkStream GetStream() => new WatchedStream(client.Client, watch);

        public void Close() => client.Close();

        public void Dispose() => client.Dispose();
    }

    private sealed class WatchedStream(Socket socket, SocketWatch watch) : NetworkStream(socket)
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            watch.WriteAsync(Socket, buffer, base.WriteAsync, cancellationToken);
    }

    private sealed record Expected(TaskCompletionSource<long> Left, long NotBefore);
}
