using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Tests.Control;

/// <summary>A stream without a broker: one order for all readers, retention by bytes and whole segments, as RabbitMQ does it.</summary>
internal sealed class StreamInMemory(StreamRetention? retention = null)
{
    private readonly List<(StreamRecord Record, int Size)> _records = [];
    private readonly List<Follower> _followers = [];
    private long _next;

    /// <summary>The records that are still there.</summary>
    public int Count => _records.Count;

    /// <summary>All that has ever been appended.</summary>
    public long Appended => _next;

    public bool IsDeclared { get; set; } = true;

    /// <summary>Whether followers are told nothing, neither of what was there nor of what is appended, until <see cref="TellFollowers"/>.</summary>
    public bool IsSlow { get; set; }

    public IRecordStream Open() => new Reader(this);

    public void Append(BasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var record = new StreamRecord(_next++, properties, body.ToArray());
        _records.Add((record, body.Length + ControlDocuments.Envelope));
        // a segment that is full ends, and only then retention looks at the oldest
        while (retention is not null && _records.Sum(item => (long)item.Size) > retention.MaxBytes)
        {
            for (var taken = 0L; taken < retention.SegmentBytes && _records.Count > 1; _records.RemoveAt(0))
            {
                taken += _records[0].Size;
            }
        }

        if (!IsSlow)
        {
            TellFollowers();
        }
    }

    public void TellFollowers()
    {
        foreach (var follower in _followers.ToList())
        {
            foreach (var (record, _) in _records.Where(item => item.Record.Offset >= follower.Next).ToList())
            {
                follower.Next = record.Offset + 1;
                follower.Read(record);
            }
        }
    }

    public void Break(string reason)
    {
        foreach (var follower in _followers.ToList())
        {
            follower.Failed(reason);
        }
    }

    private sealed record Follower(Action<StreamRecord> Read, Action<string> Failed)
    {
        public long Next { get; set; }
    }

    private sealed class Reader(StreamInMemory stream) : IRecordStream
    {
        private Follower? _follower;

        public string Name => "in memory";

        public Task DeclareAsync(CancellationToken cancellationToken)
        {
            stream.IsDeclared = true;
            return Task.CompletedTask;
        }

        public Task<bool> FollowAsync(Action<StreamRecord> read, Action<string> failed, CancellationToken cancellationToken)
        {
            if (!stream.IsDeclared)
            {
                return Task.FromResult(false);
            }

            stream._followers.Add(_follower = new Follower(read, failed));
            if (!stream.IsSlow)
            {
                stream.TellFollowers();
            }

            return Task.FromResult(true);
        }

        public Task<long?> FindEndAsync(CancellationToken cancellationToken) => Task.FromResult(stream._records.Count == 0 ? (long?)null : stream._next - 1);

        public Task AppendAsync(BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        {
            if (!stream.IsDeclared)
            {
                throw new ControlException("There is no stream.");
            }

            stream.Append(properties, body);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            if (_follower is { } follower)
            {
                stream._followers.Remove(follower);
            }

            return ValueTask.CompletedTask;
        }
    }
}
