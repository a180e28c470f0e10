using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>Notes when each publish to an exchange leaves for a port, by the kernel's own timestamps.</summary>
/// <remarks>
/// A packet socket: the kernel stamps a packet while the sender's system call runs. However late this machine wakes up who reads
/// them, the instants are those of sending; a proxy's are not. It needs the right to capture (root, or CAP_NET_RAW).
/// </remarks>
public sealed class WireCapture : IDisposable
{
    private const int PacketFamily = 17;
    private const int Datagram = 2;
    private const ushort EveryProtocol = 3;
    private const int SocketLevel = 1;
    private const int ReceiveTimeout = 20;
    private const int AttachFilter = 26;
    private const int ForceReceiveBuffer = 33;
    private const nuint GetTimestamp = 0x8907;
    private const int BufferBytes = 64 << 20;
    private const int LargestPacket = 1 << 17;

    private readonly string _exchange;
    private readonly int _socket;
    private readonly Thread _reader;
    private readonly ConcurrentQueue<long> _publishes = new();
    private readonly Dictionary<ushort, Flow> _flows = [];
    private volatile bool _disposed;
    private volatile string? _gap;

    private WireCapture(int socket, string exchange)
    {
        _socket = socket;
        _exchange = exchange;
        _reader = new Thread(Read) { IsBackground = true };
        _reader.Start();
    }

    /// <summary>When publishes left, in <see cref="Stopwatch"/>'s units but the wall clock's count.</summary>
    public IReadOnlyList<long> Publishes => _gap is null ? [.. _publishes] : throw new InvalidOperationException(_gap);

    /// <summary>Starts to capture what goes to a local port; null where that is not permitted.</summary>
    public static WireCapture? TryStart(int port, string exchange)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var socket = Native.socket(PacketFamily, Datagram, BinaryPrimitives.ReverseEndianness(EveryProtocol));
        if (socket < 0)
        {
            return null;
        }

        Filter(socket, port);
        var bytes = BufferBytes;
        _ = Native.setsockopt(socket, SocketLevel, ForceReceiveBuffer, ref bytes, sizeof(int));
        var wait = new TimeValue { Microseconds = 100_000 };
        _ = Native.setsockopt(socket, SocketLevel, ReceiveTimeout, ref wait, Marshal.SizeOf<TimeValue>());
        return new WireCapture(socket, exchange);
    }

    public void Dispose()
    {
        _disposed = true;
        _reader.Join();
        _ = Native.close(_socket);
    }

    // the kernel's filter: outgoing, TCP, to the port. Without it the whole machine's traffic would pass
    private static void Filter(int socket, int port)
    {
        const ushort LoadByte = 0x30, LoadHalfFromHeader = 0x48, HeaderLength = 0xb1, JumpIfEqual = 0x15, Return = 0x06;
        const uint PacketType = 0xfffff004, Outgoing = 4, ProtocolAt = 9, Tcp = 6, DestinationAt = 2;
        Span<Instruction> program =
        [
            new(LoadByte, 0, 0, PacketType),
            new(JumpIfEqual, 0, 6, Outgoing),
            new(LoadByte, 0, 0, ProtocolAt),
            new(JumpIfEqual, 0, 4, Tcp),
            new(HeaderLength, 0, 0, 0),
            new(LoadHalfFromHeader, 0, 0, DestinationAt),
            new(JumpIfEqual, 0, 1, (uint)port),
            new(Return, 0, 0, uint.MaxValue),
            new(Return, 0, 0, 0),
        ];
        var handle = GCHandle.Alloc(program.ToArray(), GCHandleType.Pinned);
        try
        {
            var filter = new FilterProgram { Length = (ushort)program.Length, Instructions = handle.AddrOfPinnedObject() };
            if (Native.setsockopt(socket, SocketLevel, AttachFilter, ref filter, Marshal.SizeOf<FilterProgram>()) != 0)
            {
                throw new InvalidOperationException($"The kernel took no packet filter: error {Marshal.GetLastPInvokeError()}.");
            }
        }
        finally
        {
            handle.Free();
        }
    }

    private void Read()
    {
        var buffer = new byte[LargestPacket];
        while (!_disposed)
        {
            var length = (int)Native.recv(_socket, buffer, (nuint)buffer.Length, 0);
            if (length <= 0)
            {
                continue;
            }

            var stamp = new TimeValue();
            _ = Native.ioctl(_socket, GetTimestamp, ref stamp);
            Take(buffer.AsSpan(0, length), (stamp.Seconds * Stopwatch.Frequency) + (stamp.Microseconds * (Stopwatch.Frequency / 1_000_000_000)));
        }
    }

    private void Take(ReadOnlySpan<byte> packet, long at)
    {
        var tcp = packet[((packet[0] & 0xf) * 4)..BinaryPrimitives.ReadUInt16BigEndian(packet[2..])];
        var port = BinaryPrimitives.ReadUInt16BigEndian(tcp);
        var sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]);
        var payload = tcp[((tcp[12] >> 4) * 4)..];
        var opens = (tcp[13] & 2) != 0;
        if (opens)
        {
            _flows[port] = new Flow(new PublishFrames(_exchange, _publishes.Enqueue)) { Next = sequence + 1 };
        }
        else if (payload.Length > 0 && _flows.TryGetValue(port, out var flow))
        {
            var behind = (int)(flow.Next - sequence);
            if (behind < 0)
            {
                _gap = "The capture lost packets.";
            }
            else if (behind < payload.Length)
            {
                flow.Frames.Read(payload[behind..], at);
                flow.Next = sequence + (uint)payload.Length;
            }
        }
    }

    private sealed class Flow(PublishFrames frames)
    {
        public PublishFrames Frames { get; } = frames;

        public uint Next { get; set; }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public nint Instructions;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeValue
    {
        public long Seconds;
        public long Microseconds;
    }

#pragma warning disable SYSLIB1054, IDE1006, CA2101 // source generation would want unsafe code in the whole project
    private static class Native
    {
        [DllImport("libc")]
        public static extern int socket(int family, int type, int protocol);

        [DllImport("libc", SetLastError = true)]
        public static extern int setsockopt(int socket, int level, int name, ref int value, int length);

        [DllImport("libc", SetLastError = true)]
        public static extern int setsockopt(int socket, int level, int name, ref TimeValue value, int length);

        [DllImport("libc", SetLastError = true)]
        public static extern int setsockopt(int socket, int level, int name, ref FilterProgram value, int length);

        [DllImport("libc")]
        public static extern nint recv(int socket, byte[] buffer, nuint length, int flags);

        [DllImport("libc")]
        public static extern int ioctl(int socket, nuint request, ref TimeValue value);

        [DllImport("libc")]
        public static extern int close(int socket);
    }
#pragma warning restore SYSLIB1054, IDE1006, CA2101
}
