using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Limiter.Pacing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter.Pacing;

/// <summary>When a publish has left: over a real socket, without a broker.</summary>
public sealed class SocketWatchTests : IAsyncLifetime, IDisposable
{
    private const ushort Channel = 3;
    private const ushort Publish = 40;
    private const ushort Ack = 80;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(30);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SocketWatch _watch = new(TimeProvider.System);
    private ITcpClient _client = null!;
    private NetworkStream _stream = null!;
    private Socket _broker = null!;

    public async Task InitializeAsync()
    {
        // small: what the kernel takes from the writer it cannot send on at once
        _listener.Server.ReceiveBufferSize = 4096;
        _listener.Start();
        var factory = new ConnectionFactory();
        _watch.Prepare(factory);
        _client = factory.SocketFactory(AddressFamily.InterNetwork);
        var accepted = _listener.AcceptSocketAsync();
        await _client.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)_listener.LocalEndpoint).Port);
        _broker = await accepted;
        _stream = _client.GetStream();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _stream.Dispose();
        _client.Dispose();
        _broker.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task Only_a_publish_on_the_channel_counts_and_it_leaves_no_earlier_than_it_may()
    {
        var due = TimeProvider.System.GetTimestamp() + (long)(Moment.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var left = _watch.ExpectAsync(Channel, encrypted: false, due);

        await _stream.WriteAsync(Frame(Channel, Ack));
        await _stream.WriteAsync(Frame(Channel + 1, Publish));
        left.IsCompleted.ShouldBeFalse();
        await _stream.WriteAsync(Frame(Channel, Publish));

        left.IsCompleted.ShouldBeTrue();
        (await left).ShouldBeGreaterThanOrEqualTo(due);
    }

    [Fact]
    public async Task What_cannot_be_read_counts_with_the_next_write()
    {
        var left = _watch.ExpectAsync(Channel, encrypted: true, notBefore: 0);

        await _stream.WriteAsync(new byte[] { 23, 3, 3, 0 });

        left.IsCompleted.ShouldBeTrue();
    }

    [LinuxFact]
    public async Task What_the_kernel_still_holds_has_not_left()
    {
        var frame = Frame(Channel, Publish, size: 200_000);
        var left = _watch.ExpectAsync(Channel, encrypted: false, notBefore: 0);
        var written = _stream.WriteAsync(frame).AsTask();
        await Never.TrueAsync(() => left.IsCompleted, Moment);

        var buffer = new byte[65536];
        for (var read = 0; read < frame.Length;)
        {
            read += await _broker.ReceiveAsync(buffer).WaitAsync(Deadline);
        }

        await left.WaitAsync(Deadline);
        await written.WaitAsync(Deadline);
    }

    [Fact]
    public async Task Nobody_waits_for_a_connection_that_has_ended()
    {
        var before = _watch.ExpectAsync(Channel, encrypted: false, notBefore: 0);

        _watch.End();

        await before.WaitAsync(Deadline);
        await _watch.ExpectAsync(Channel, encrypted: false, notBefore: 0).WaitAsync(Deadline);
    }

    [Fact]
    public void Prepares_a_connection_that_is_soon_found_dead_and_not_repaired()
    {
        var factory = new ConnectionFactory();

        _watch.Prepare(factory);

        factory.RequestedHeartbeat.ShouldBe(TimeSpan.FromSeconds(4));
        factory.AutomaticRecoveryEnabled.ShouldBeFalse();
    }

    private static byte[] Frame(ushort channel, ushort method, int size = 40)
    {
        var frame = new byte[size];
        frame[0] = 1;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), channel);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(3), (uint)(size - 8));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(7), 60);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(9), method);
        frame[^1] = 0xCE;
        return frame;
    }
}
