using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Recurring;
using Retry.Messaging.Tests.Control;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Recurring;

/// <summary>Who gets the turn may not have read yet what its predecessor has recorded.</summary>
public sealed class TakenOverTurnTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2027, 1, 1, 0, 0, 30, TimeSpan.Zero));

    [Fact]
    public async Task A_successor_reads_the_log_to_its_end_before_it_sends_anything()
    {
        var stream = new StreamInMemory();
        var book = new RecurrenceBook();
        var turn = new SettableTurn(new WakeUp(_clock));
        await using var log = await ControlLog.OpenAsync(
            stream.Open(),
            declare: true,
            record =>
            {
                book.Read(record);
                turn.WakeUp.Set();
            },
            turn.WakeUp.Set,
            default);
        var message = RecurringMessage.Of(new KeptProperties { Exchange = "reports", RoutingKey = string.Empty }, new BasicProperties(), "[]"u8.ToArray());
        await new RecurrenceWriter(log, book, "a test", _clock).DefineAsync("minutes", new RecurrenceDefinition { Cron = "* * * * *", Message = message }, default);
        var published = new List<string>();
        using var stop = new CancellationTokenSource();
        var session = new RecurrenceSession(
            log,
            book,
            turn,
            (sent, _) =>
            {
                published.Add(sent.Properties.MessageId!);
                return Task.CompletedTask;
            },
            turn.WakeUp,
            new RecurrenceReporter(_clock, NullLogger.Instance),
            "successor",
            _clock);
        var run = session.RunAsync(stop.Token);

        // the predecessor has sent the slot of 0:01 and recorded it; this one has not read that yet
        stream.IsSlow = true;
        var slot = new DateTimeOffset(2027, 1, 1, 0, 1, 0, TimeSpan.Zero);
        var record = RecurrenceDocuments.Write(RecurrenceDocuments.ProgressKind, "minutes", 1, new RecurrenceProgress { UpTo = slot }, "predecessor", slot);
        stream.Append(ControlRecordFormat.Write(record), record.Body);
        _clock.Advance(TimeSpan.FromSeconds(40));
        turn.IsOurs = true;
        turn.WakeUp.Set();
        await Never.TrueAsync(() => published.Count > 0, TimeSpan.FromMilliseconds(300));

        stream.IsSlow = false;
        stream.TellFollowers();
        await Never.TrueAsync(() => published.Count > 0, TimeSpan.FromMilliseconds(300));
        _clock.Advance(TimeSpan.FromMinutes(1));
        turn.WakeUp.Set(); // it may have looked at the clock before, and begun its wait after
        await Eventually.TrueAsync(() => published.Count > 0, Deadline);
        published.ShouldBe([SlotId.Of("minutes", slot.AddMinutes(1)).ToString()]);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => run);
    }

    private sealed class SettableTurn(WakeUp wakeUp) : IRecurrenceTurn
    {
        private volatile bool _ours;

        public WakeUp WakeUp => wakeUp;

        public bool IsOurs
        {
            get => _ours;
            set => _ours = value;
        }

        public string? Ended => null;

        public Task<TimeSpan> KeepAsync(CancellationToken cancellationToken) => Task.FromResult(TimeSpan.FromMinutes(20));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
