using System.Buffers.Binary;
using System.Collections;
using System.Security.Cryptography;

namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>The messages that were there when a lot was read: what is moved out of it afterwards, and nothing else.</summary>
/// <remarks>
/// Not a number: for what another operator took meanwhile, messages would be taken that are being parked right now. Not a time: clocks
/// differ. Not a position: requeues rotate the order. A message is known by its <see cref="LotKey"/>. A million of them take 9 MB.
/// </remarks>
internal sealed class LotSet
{
    private const int ChunkLength = 8192;
    private const int MostReasons = 50;

    private readonly Lock _lock = new();
    private readonly List<ulong[]> _chunks = [];
    private readonly Dictionary<string, long> _reasons = new(StringComparer.Ordinal);
    private ulong[]? _keys;
    private int _added;
    private int _left;
    private volatile int _unmet = -1;
    private BitArray _met = new(0);
    private BitArray _settled = new(0);
    private BitArray? _announced;

    /// <summary>Creates an empty set, to which messages are added.</summary>
    public LotSet()
    {
    }

    /// <summary>Creates a set of keys that were written down before.</summary>
    public LotSet(IEnumerable<ulong> keys)
    {
        foreach (var key in keys)
        {
            Add(key);
        }
    }

    /// <summary>Gets or sets how many runs of the plan were cut off before this one.</summary>
    public int EarlierRuns { get; set; }

    /// <summary>Gets how many are in the set and have not been settled.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _keys is null ? _added : _left;
            }
        }
    }

    /// <summary>Gets the messages that were read, by the reason for which they were parked; the first 50 reasons, which anybody may write.</summary>
    public IReadOnlyDictionary<string, long> Reasons
    {
        get
        {
            lock (_lock)
            {
                return new SortedDictionary<string, long>(_reasons, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>Gets the keys in ascending order; a message's place in the set is its place here. No more are added then.</summary>
    public ReadOnlyMemory<ulong> Keys
    {
        get
        {
            lock (_lock)
            {
                return Sorted();
            }
        }
    }

    /// <summary>Gets 16 hexadecimal digits that stand for the whole set: the same for the same messages.</summary>
    public string Hash
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            foreach (var key in Keys.Span)
            {
                BinaryPrimitives.WriteUInt64BigEndian(bytes, key);
                hash.AppendData(bytes);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, sizeof(ulong)));
        }
    }

    /// <summary>Adds a message that was read.</summary>
    public void Add(ParkedMessage message)
    {
        var key = LotKey.Of(message);
        var reason = message.Reason.Name;
        lock (_lock)
        {
            Add(key);
            if (_reasons.Count < MostReasons || _reasons.ContainsKey(reason))
            {
                _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
            }
        }
    }

    /// <summary>Begins another reading: what the last one met and did not settle may be met again.</summary>
    public void BeginReading()
    {
        lock (_lock)
        {
            Sorted();
            _met = new BitArray(_settled);
            _unmet = _left;
        }
    }

    /// <summary>Whether a message of this key is in the set.</summary>
    public bool Contains(ulong key)
    {
        lock (_lock)
        {
            return Array.BinarySearch(Sorted(), key) >= 0;
        }
    }

    /// <summary>Whether this reading has met all that were not settled before.</summary>
    public bool IsMet => _unmet == 0;

    /// <summary>Finds a message in the set, once for each time that it was read, and gives it its place; false when it is not, or no
    /// longer, in the set.</summary>
    public bool TryMeet(ParkedMessage message)
    {
        var key = LotKey.Of(message);
        lock (_lock)
        {
            var keys = Sorted();
            for (var place = FirstPlaceOf(key, keys); place < keys.Length && keys[place] == key; place++)
            {
                if (!_met[place])
                {
                    _met[place] = true;
                    _unmet--;
                    message.Place = place;
                    message.EarlierRuns = _announced?[place] == true ? EarlierRuns : 0;
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Notes that a message was moved, or stays for good.</summary>
    public void Settle(ParkedMessage message)
    {
        lock (_lock)
        {
            if (message.Place is { } place && !_settled[place])
            {
                _settled[place] = true;
                _left--;
            }
        }
    }

    /// <summary>Notes that a copy of the message at a place may have been sent by an earlier run.</summary>
    public void Announce(int place)
    {
        lock (_lock)
        {
            var keys = Sorted();
            if (place >= 0 && place < keys.Length)
            {
                (_announced ??= new BitArray(keys.Length))[place] = true;
            }
        }
    }

    /// <summary>The places of which a copy may have been sent by an earlier run, and that have not been settled.</summary>
    public IReadOnlyList<int> Doubtful()
    {
        lock (_lock)
        {
            return _announced is { } announced ? [.. Enumerable.Range(0, announced.Length).Where(place => announced[place] && !_settled[place])] : [];
        }
    }

    private static int FirstPlaceOf(ulong key, ulong[] keys)
    {
        var place = Array.BinarySearch(keys, key);
        if (place < 0)
        {
            return keys.Length;
        }

        while (place > 0 && keys[place - 1] == key)
        {
            place--;
        }

        return place;
    }

    private void Add(ulong key)
    {
        if (_keys is not null)
        {
            throw new InvalidOperationException("The set was read already.");
        }

        if (_added % ChunkLength == 0)
        {
            _chunks.Add(new ulong[ChunkLength]);
        }

        _chunks[^1][_added++ % ChunkLength] = key;
    }

    private ulong[] Sorted()
    {
        if (_keys is not null)
        {
            return _keys;
        }

        var keys = new ulong[_added];
        for (var at = 0; at < _added; at += ChunkLength)
        {
            Array.Copy(_chunks[at / ChunkLength], 0, keys, at, Math.Min(ChunkLength, _added - at));
        }

        _chunks.Clear();
        Array.Sort(keys);
        (_met, _settled, _left, _unmet) = (new BitArray(_added), new BitArray(_added), _added, _added);
        return _keys = keys;
    }
}
