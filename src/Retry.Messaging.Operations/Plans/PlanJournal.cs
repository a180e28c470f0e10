using System.Runtime.InteropServices;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>The journal of one plan: its set, and which of it each run was about to send. A stream that is there while the plan is open.</summary>
/// <remarks>
/// A record is confirmed before the first message in it is sent. So what no record names was sent by nobody, and what one names and
/// is still parked may have been sent. What was moved needs no record: it is gone from the lot.
/// </remarks>
internal sealed class PlanJournal : IAsyncDisposable
{
    private const string SetType = "retry.plan.set";
    private const string AnnouncedType = "retry.plan.announced";
    private const string BodyType = "retry.plan.body";
    private const int KeysInARecord = 8192;

    // a million messages take 8 MB and 4 MB for each run; nothing may be lost while the plan is open, however old it is
    private static readonly StreamRetention Retention = new(MaxBytes: 1L << 32, SegmentBytes: 16 << 20);

    private readonly RecordStream _stream;

    /// <summary>The journal of a plan.</summary>
    public PlanJournal(IConnection connection, string plan, TimeProvider time) =>
        _stream = new RecordStream(connection, BrokerNames.PlanJournal(plan), Retention, time);

    /// <summary>The other body of the plan's one message, where it has one.</summary>
    public ReadOnlyMemory<byte>? Body { get; private set; }

    /// <summary>Declares it and writes the set.</summary>
    /// <param name="set">The set.</param>
    /// <param name="body">The other body of its one message, where it has one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">It could not be written.</exception>
    public Task WriteSetAsync(LotSet set, ReadOnlyMemory<byte>? body, CancellationToken cancellationToken) => GuardAsync(async () =>
    {
        await _stream.DeclareAsync(cancellationToken).ConfigureAwait(false);
        for (var keys = set.Keys; !keys.IsEmpty; keys = keys[Math.Min(KeysInARecord, keys.Length)..])
        {
            await AppendAsync(SetType, PlanBook.ToBytes(keys.Span[..Math.Min(KeysInARecord, keys.Length)]), cancellationToken).ConfigureAwait(false);
        }

        Body = body;
        if (body is { } bytes)
        {
            await AppendAsync(BodyType, bytes, cancellationToken).ConfigureAwait(false);
        }
    });

    /// <summary>Notes that messages are about to be sent; returns when the broker has it.</summary>
    /// <param name="run">The run of the plan.</param>
    /// <param name="places">Their places in the set.</param>
    /// <exception cref="ParkingException">It could not be written: none of them may be sent.</exception>
    public Task AnnounceAsync(int run, IEnumerable<int> places)
    {
        int[] record = [run, .. places];
        // not cancellable: what is written down must be known to be
        return GuardAsync(() => AppendAsync(AnnouncedType, MemoryMarshal.AsBytes<int>(record).ToArray(), CancellationToken.None));
    }

    /// <summary>Reads the set, and which of it the runs were about to send.</summary>
    /// <param name="announced">Told each run and the places that it announced.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">It cannot be read.</exception>
    public async Task<LotSet> ReadAsync(Action<int, ReadOnlyMemory<int>> announced, CancellationToken cancellationToken)
    {
        var keys = new List<ulong>();
        var runs = new List<int[]>();
        var position = new StreamPosition();
        await GuardAsync(async () =>
        {
            if (!await _stream.FollowAsync(Read, position.Fail, cancellationToken).ConfigureAwait(false))
            {
                throw new ControlException($"Found no stream '{_stream.Name}'.");
            }

            if (await _stream.FindEndAsync(cancellationToken).ConfigureAwait(false) is { } end)
            {
                await position.ReachedAsync(end, cancellationToken).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        foreach (var run in runs)
        {
            announced(run[0], run.AsMemory(1));
        }

        return new LotSet(keys);

        void Read(StreamRecord record)
        {
            if (record.Properties.Type == SetType)
            {
                keys.AddRange(MemoryMarshal.Cast<byte, ulong>(record.Body.Span));
            }
            else if (record.Properties.Type == AnnouncedType && record.Body.Length >= sizeof(int))
            {
                runs.Add(MemoryMarshal.Cast<byte, int>(record.Body.Span).ToArray());
            }
            else if (record.Properties.Type == BodyType)
            {
                Body = record.Body;
            }

            position.At(record.Offset);
        }
    }

    /// <summary>Deletes a plan's journal; nothing happens where there is none.</summary>
    public static async Task DeleteAsync(IConnection connection, string plan, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var looks = look.ConfigureAwait(false);
        if (await look.FindQueueAsync(BrokerNames.PlanJournal(plan), cancellationToken).ConfigureAwait(false) is null)
        {
            return;
        }

        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        await channel.QueueDeleteAsync(BrokerNames.PlanJournal(plan), cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private Task AppendAsync(string type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        _stream.AppendAsync(new BasicProperties { Type = type, Persistent = true }, body, cancellationToken);

    private static async Task GuardAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (ControlException exception)
        {
            throw new ParkingException($"The plan's journal does not answer. {exception.Message}", exception);
        }
    }
}
