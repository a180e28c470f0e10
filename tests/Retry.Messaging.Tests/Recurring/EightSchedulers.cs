using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Tests.Control;

namespace Retry.Messaging.Tests.Recurring;

/// <summary>Eight schedulers over one control log in memory. The one that has the turn can be killed around a publish; another takes its place.</summary>
internal sealed class EightSchedulers : IAsyncDisposable
{
    private readonly StreamInMemory _stream = new(ControlLog.Retention);
    private readonly Lock _lock = new();
    private readonly List<Process> _processes = [];
    private readonly List<(string Id, bool MayBeCopy)> _published = [];
    private readonly CancellationTokenSource _stop = new();

    public EightSchedulers(FakeTimeProvider clock)
    {
        Clock = clock;
        for (var i = 0; i < 8; i++)
        {
            Start();
        }
    }

    public FakeTimeProvider Clock { get; }

    /// <summary>Decides for each publish whether its process is killed before it, or right after it.</summary>
    public Func<(bool Before, bool After)> Kill { get; set; } = () => (false, false);

    /// <summary>What had been published and not been recorded by those that were killed: as many copies there may be.</summary>
    public int Unrecorded { get; private set; }

    public int Killed { get; private set; }

    /// <summary>Message ids, copies included, and whether they said that they may be one.</summary>
    public IReadOnlyList<(string Id, bool MayBeCopy)> Published
    {
        get
        {
            lock (_lock)
            {
                return [.. _published];
            }
        }
    }

    public async Task<RecurrenceWriter> WriterAsync()
    {
        var book = new RecurrenceBook();
        return new RecurrenceWriter(await ControlLog.OpenAsync(new OneAtATime(_stream), declare: true, book.Read, () => { }, default), book, "a test", Clock);
    }

    /// <summary>
    /// Makes all look at the clock again after it was set. How long one waits is counted from its last look, and this clock may have jumped
    /// between the two, which no real one does.
    /// </summary>
    public void Wake()
    {
        lock (_lock)
        {
            _processes.ForEach(process => process.WakeUp.Set());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_processes.Select(process => process.Run));
        _stop.Dispose();
    }

    private void Start()
    {
        var process = new Process(this);
        lock (_lock)
        {
            _processes.Add(process);
        }

        process.Run = RunAsync(process);
    }

    private async Task RunAsync(Process process)
    {
        await Task.Yield();
        var book = new RecurrenceBook();
        var log = await ControlLog.OpenAsync(new OneAtATime(_stream), declare: true, Read, process.WakeUp.Set, default);
        var session = new RecurrenceSession(log, book, process, PublishAsync, process.WakeUp, new RecurrenceReporter(Clock, NullLogger.Instance), "one", Clock);
        try
        {
            await session.RunAsync(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // the test is over
        }
        catch (KilledException)
        {
            Die(process);
        }

        void Read(ControlRecord record)
        {
            book.Read(record);
            if (record.Kind == RecurrenceDocuments.ProgressKind && process.IsOurs)
            {
                process.Unrecorded = process.Unrecorded.Remove(record.Key);
            }

            process.WakeUp.Set();
        }

        Task PublishAsync(OutcomeMessage message, CancellationToken cancellationToken)
        {
            var (before, after) = Kill();
            lock (_lock)
            {
                if (!before)
                {
                    var headers = message.Properties.Headers!;
                    var name = (string)headers["retry-recurrence"]!;
                    _published.Add((message.Properties.MessageId!, ((string)headers["retry-schedule"]!).Contains("\"repeated\":1", StringComparison.Ordinal)));
                    process.Unrecorded = process.Unrecorded.SetItem(name, process.Unrecorded.GetValueOrDefault(name) + 1);
                }

                if (before || after)
                {
                    Killed++;
                    Unrecorded += process.Unrecorded.Values.Sum();
                }
            }

            return before || after ? throw new KilledException() : Task.CompletedTask;
        }
    }

    private void Die(Process process)
    {
        lock (_lock)
        {
            _processes.Remove(process);
        }

        Start();
        lock (_lock)
        {
            _processes[0].WakeUp.Set();
        }
    }

    private sealed class KilledException : Exception;

    private sealed class OneAtATime(StreamInMemory stream) : IRecordStream
    {
        private readonly IRecordStream _stream = stream.Open();

        public string Name => _stream.Name;

        public Task DeclareAsync(CancellationToken cancellationToken) => Locked(() => _stream.DeclareAsync(cancellationToken));

        public Task<bool> FollowAsync(Action<StreamRecord> read, Action<string> failed, CancellationToken cancellationToken) =>
            Locked(() => _stream.FollowAsync(read, failed, cancellationToken));

        public Task<long?> FindEndAsync(CancellationToken cancellationToken) => Locked(() => _stream.FindEndAsync(cancellationToken));

        public Task AppendAsync(BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
            Locked(() => _stream.AppendAsync(properties, body, cancellationToken));

        public ValueTask DisposeAsync() => _stream.DisposeAsync();

        private T Locked<T>(Func<T> action)
        {
            lock (stream)
            {
                return action();
            }
        }
    }

    private sealed class Process(EightSchedulers all) : IRecurrenceTurn
    {
        public WakeUp WakeUp { get; } = new(all.Clock);

        public Task Run { get; set; } = Task.CompletedTask;

        public ImmutableDictionary<string, int> Unrecorded { get; set; } = ImmutableDictionary<string, int>.Empty;

        public bool IsOurs
        {
            get
            {
                lock (all._lock)
                {
                    return all._processes[0] == this;
                }
            }
        }

        public string? Ended => null;

        public Task<TimeSpan> KeepAsync(CancellationToken cancellationToken) => Task.FromResult(TimeSpan.FromMinutes(20));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
