using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>The messages that were there when a lot was read: what is moved out of it afterwards, and nothing else.</summary>
/// <remarks>
/// Not a number: for what another operator took meanwhile, messages would be taken that are being parked right now. Not a time: clocks
/// differ. Not a position: requeues rotate the order. A message is known by its id and by how often, and by which plan, it was
/// replayed, so that one that was replayed and parked again is another one. A million of them take some 50 MB.
/// </remarks>
internal sealed class LotSet
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, int> _messages = [];
    private int _count;

    /// <summary>Gets how many have been read and not been taken.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Adds a message that was read.</summary>
    public void Add(ParkedMessage message)
    {
        var key = KeyOf(message);
        lock (_lock)
        {
            _messages[key] = _messages.GetValueOrDefault(key) + 1;
            _count++;
        }
    }

    /// <summary>Takes a message out of the set; false when it is not, or no longer, in it.</summary>
    public bool TryTake(ParkedMessage message)
    {
        var key = KeyOf(message);
        lock (_lock)
        {
            if (!_messages.TryGetValue(key, out var copies))
            {
                return false;
            }

            if (copies > 1)
            {
                _messages[key] = copies - 1;
            }
            else
            {
                _messages.Remove(key);
            }

            _count--;
            return true;
        }
    }

    private static UInt128 KeyOf(ParkedMessage message)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{message.WorkQueue}\n{message.Id}\n{message.Replayed}\n{message.Plan}"), hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
