using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.Tests.Control;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cancelling;

public class CancellationLogTests : ICancellationObserver
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly List<(Guid Token, bool IsNew)> _told = [];
    private readonly List<string> _failures = [];

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public async Task What_was_cancelled_before_is_known_when_it_is_open_and_not_told()
    {
        var stream = new StreamInMemory();
        var token = Cancel(stream);

        await using var log = await OpenAsync(stream);

        log.Has(token, null).ShouldBeTrue();
        _told.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stream_that_is_not_there_is_declared()
    {
        var stream = new StreamInMemory { IsDeclared = false };

        await using var log = await OpenAsync(stream);

        stream.IsDeclared.ShouldBeTrue();
    }

    /// <summary>The reader is behind, and its channel lives: nobody may dispatch by what it knows.</summary>
    [Fact]
    public async Task Nothing_is_proved_while_the_reader_is_behind()
    {
        var stream = new StreamInMemory();
        await using var log = await OpenAsync(stream);
        _time.Advance(TimeSpan.FromSeconds(1));
        stream.IsSlow = true;
        var token = Cancel(stream);

        var proved = log.ProveAsync(CancellationToken.None).AsTask();

        proved.IsCompleted.ShouldBeFalse();
        log.Has(token, null).ShouldBeFalse();
        stream.TellFollowers();
        await proved.WaitAsync(Deadline);
        log.Has(token, null).ShouldBeTrue();
    }

    [Fact]
    public async Task It_is_not_open_before_the_end_is_read()
    {
        var stream = new StreamInMemory { IsSlow = true };
        var token = Cancel(stream);

        var opening = OpenAsync(stream);

        opening.IsCompleted.ShouldBeFalse();
        stream.TellFollowers();
        await using var log = await opening.WaitAsync(Deadline);
        log.Has(token, null).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_cancelled_once_more_is_told()
    {
        var stream = new StreamInMemory();
        await using var log = await OpenAsync(stream);
        var token = Cancel(stream);

        Cancel(stream, token);

        _told.ShouldBe([(token, true), (token, false)]);
    }

    /// <summary>Each process reads everything, and one line of the log is enough.</summary>
    [Fact]
    public async Task Of_all_dispatchers_the_one_at_work_tells()
    {
        var stream = new StreamInMemory();
        await using var first = await OpenAsync(stream);
        await using var second = await OpenAsync(stream);
        var one = Cancel(stream);
        _told.ShouldBe([(one, true)]);

        _time.Advance(TimeSpan.FromSeconds(1));
        await first.ProveAsync(CancellationToken.None);
        await using var operators = await CancellationLog.OpenAsync(stream.Open(), isDispatcher: false, this, _time, CancellationToken.None);
        var other = Cancel(stream);

        _told.ShouldBe([(one, true), (other, true)]);
    }

    [Fact]
    public async Task A_stream_that_cannot_be_read_any_more_is_told()
    {
        var stream = new StreamInMemory();
        await using var log = await OpenAsync(stream);

        stream.Break("deleted");

        _failures.ShouldBe(["deleted"]);
    }

    /// <summary>The stream has its bound many times over, and what is wanted is in it for a reader that comes later.</summary>
    [Fact]
    public async Task What_is_wanted_outlives_the_bound_of_the_stream_and_what_is_dead_does_not()
    {
        var stream = new StreamInMemory(CancellationLog.Retention);
        var log = await OpenAsync(stream);
        var wanted = Enumerable.Range(0, 3000).Select(day => Cancel(stream, ScheduleToken.Create(Now.AddDays(1 + day)))).ToList();
        var dead = Cancel(stream, ScheduleToken.Create(Now.AddDays(-8)));
        for (var written = 0L; written < 3 * CancellationLog.Retention.MaxBytes; written += CancellationLog.Retention.SegmentBytes / 4)
        {
            stream.Append(new RabbitMQ.Client.BasicProperties { Headers = new Dictionary<string, object?> { [RetryHeaderNames.Cancelled] = Line(Guid.NewGuid()) } }, new byte[CancellationLog.Retention.SegmentBytes / 4]);
            _time.Advance(TimeSpan.FromSeconds(1));
            await log.ProveAsync(CancellationToken.None);
        }

        await log.DisposeAsync();
        await using var successor = await OpenAsync(stream);
        wanted.ShouldAllBe(token => successor.Has(token, null));
        successor.Has(dead, null).ShouldBeFalse();
    }

    void ICancellationObserver.Cancelled(Cancellation cancellation, bool isNew) => _told.Add((cancellation.Token, isNew));

    void ICancellationObserver.Waits(string reason) => _failures.Add(reason);

    void ICancellationObserver.Failed(string reason) => _failures.Add(reason);

    private Task<CancellationLog> OpenAsync(StreamInMemory stream) => CancellationLog.OpenAsync(stream.Open(), isDispatcher: true, this, _time, CancellationToken.None);

    private Guid Cancel(StreamInMemory stream, Guid? known = null)
    {
        var token = known ?? ScheduleToken.Create(Now.AddMinutes(1));
        stream.Append(CancellationRecords.One(new(token, Now)), default);
        return token;
    }

    private string Line(Guid token) => new Cancellation(token, Now).Write();
}
