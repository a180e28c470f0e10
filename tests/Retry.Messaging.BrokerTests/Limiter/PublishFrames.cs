using System.Buffers.Binary;
using System.Text;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>Finds publishes in a stream of frames: type, channel, size, payload, end.</summary>
internal sealed class PublishFrames(string exchange, Action<long> found)
{
    private const int BasicClass = 60;
    private const int Publish = 40;
    private const byte MethodFrame = 1;
    private const int HeaderSize = 7;
    private const int Interesting = 64;
    private readonly byte[] _start = new byte[HeaderSize + Interesting];
    private int _have;
    private int _skip = 8; // the protocol header
    private int _size = -1;

    public void Read(ReadOnlySpan<byte> bytes, long now)
    {
        while (bytes.Length > 0)
        {
            if (_skip > 0)
            {
                var skipped = Math.Min(_skip, bytes.Length);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            var wanted = _size < 0 ? HeaderSize : HeaderSize + Math.Min(_size, Interesting);
            var taken = Math.Min(wanted - _have, bytes.Length);
            bytes[..taken].CopyTo(_start.AsSpan(_have));
            _have += taken;
            bytes = bytes[taken..];
            if (_have < wanted)
            {
                continue;
            }

            if (_size < 0)
            {
                _size = BinaryPrimitives.ReadInt32BigEndian(_start.AsSpan(3));
                if (_size > 0)
                {
                    continue;
                }
            }

            if (_start[0] == MethodFrame && IsPublish(_start.AsSpan(HeaderSize, Math.Min(_size, Interesting))))
            {
                found(now);
            }

            _skip = _size - (_have - HeaderSize) + 1;
            _have = 0;
            _size = -1;
        }
    }

    private bool IsPublish(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 7 || BinaryPrimitives.ReadInt16BigEndian(payload) != BasicClass || BinaryPrimitives.ReadInt16BigEndian(payload[2..]) != Publish)
        {
            return false;
        }

        var length = payload[6];
        return 7 + length <= payload.Length && Encoding.UTF8.GetString(payload.Slice(7, length)) == exchange;
    }
}
