using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Control;

public class ControlLogTests
{
    private const string Kind = "limit";
    private readonly StreamInMemory _stream = new(ControlLog.Retention);

    [Fact]
    public async Task Reading_writes_nothing_and_declares_nothing()
    {
        _stream.IsDeclared = false;

        await using var log = await OpenAsync(declare: false);

        (log.IsThere, log.Find(Kind, "orders"), _stream.IsDeclared, _stream.Appended).ShouldBe((false, null, false, 0));
    }

    [Fact]
    public async Task What_was_appended_is_read_by_who_follows_and_by_who_comes_later()
    {
        var told = new List<long>();
        await using var follower = await OpenAsync(changed: record => told.Add(record.Version));
        await using var writer = await OpenAsync();

        (await writer.AppendAsync(Record(1), default)).ShouldBeTrue();
        (await writer.AppendAsync(Record(2), default)).ShouldBeTrue();

        told.ShouldBe([1, 2]);
        await using var later = await OpenAsync();
        later.Find(Kind, "orders")!.Version.ShouldBe(2);
    }

    [Fact]
    public async Task Of_two_operators_who_read_the_same_the_second_is_told()
    {
        await using var one = await OpenAsync();
        await using var other = await OpenAsync();

        (await one.AppendAsync(Record(1), default)).ShouldBeTrue();
        (await other.AppendAsync(Record(1), default)).ShouldBeFalse();

        one.Find(Kind, "orders")!.Id.ShouldBe(other.Find(Kind, "orders")!.Id);
    }

    [Fact]
    public async Task A_log_that_broke_is_an_error_and_never_nothing_set()
    {
        string? failure = null;
        ControlLog? log = null;
        log = await OpenAsync(failed: () => failure = log!.Failure);
        await log.AppendAsync(Record(1), default);

        _stream.Break("the broker went away");

        failure.ShouldBe("the broker went away");
        log.Find(Kind, "orders").ShouldNotBeNull();
        (await Should.ThrowAsync<ControlException>(() => log.AppendAsync(Record(2), default).WaitAsync(TimeSpan.FromSeconds(10)))).Message.ShouldBe("the broker went away");
    }

    [Fact]
    public async Task A_document_that_does_not_fit_is_refused_before_it_is_written()
    {
        await using var log = await OpenAsync();

        var error = await Should.ThrowAsync<ControlException>(() => log.AppendAsync(Record(1, new string('x', ControlLog.LargestDocument + 1)), default));

        error.Message.ShouldContain("'limit' of 'orders' does not fit");
        _stream.Appended.ShouldBe(0);
    }

    [Fact]
    public async Task So_many_documents_that_repeating_them_would_fill_the_log_are_refused()
    {
        await using var log = await OpenAsync();
        var body = new string('x', 60_000);
        for (var i = 0; i < ControlLog.LivingBytes / 61_000; i++)
        {
            (await log.AppendAsync(Record(1, body, $"point {i}"), default)).ShouldBeTrue();
        }

        await Should.ThrowAsync<ControlException>(async () =>
        {
            await log.AppendAsync(Record(1, body, "one too many"), default);
            await log.AppendAsync(Record(1, body, "two too many"), default);
        });
    }

    [Fact]
    public async Task A_strangers_message_is_passed_over()
    {
        await using var log = await OpenAsync();
        _stream.Append(new BasicProperties(), "rubbish"u8.ToArray());
        _stream.Append(new BasicProperties { Type = Kind, MessageId = "x", Headers = new Dictionary<string, object?> { ["control-key"] = "orders", ["control-version"] = "minus one" } }, "{}"u8.ToArray());

        (await log.AppendAsync(Record(1), default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Many_appends_at_once_repeat_each_document_once()
    {
        await using var log = await OpenAsync();
        await log.AppendAsync(Record(1, "set once", "quiet"), default);
        for (var i = 1; i * 60_000 <= ControlLog.RepeatAfter; i++)
        {
            await log.AppendAsync(Record(i, new string('y', 60_000), "busy"), default);
        }

        _stream.IsSlow = true;
        var before = _stream.Appended;
        var appends = Enumerable.Range(1, 100).Select(i => log.AppendAsync(Record(1, key: $"new {i}"), default)).ToList();

        // the document that was set once, and a hundred new ones
        (_stream.Appended - before).ShouldBe(101);
        _stream.TellFollowers();
        (await Task.WhenAll(appends)).ShouldAllBe(counts => counts);
    }

    /// <summary>Two writers of whom one is often behind, retention that takes whole segments, and a newcomer after each hundred records.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_newcomer_reads_all_that_lives_however_much_was_written_before(int seed)
    {
        var random = new Random(seed);
        await using var follower = await OpenAsync();
        await using var writer = await OpenAsync();
        // 40 points were set once, long ago; five are changed all the time
        for (var i = 0; i < 40; i++)
        {
            await writer.AppendAsync(Record(1, "set once", $"quiet {i}"), default);
        }

        for (var i = 0; i < 4000; i++)
        {
            var key = $"busy {random.Next(5)}";
            var version = (follower.Find(Kind, key)?.Version ?? 0) + 1;
            var behind = random.Next(3) == 0 ? random.Next(1, 4) : 0;
            var record = Record(Math.Max(1, version - behind), new string('y', random.Next(20_000)), key);
            (await writer.AppendAsync(record, default)).ShouldBe(record.Version == version);
            if (i % 100 == 0)
            {
                await using var newcomer = await OpenAsync();
                newcomer.OfKind(Kind).Select(Identity).Order().ShouldBe(follower.OfKind(Kind).Select(Identity).Order());
            }
        }

        // otherwise retention had nothing to do, and this test says nothing
        ((long)_stream.Count).ShouldBeLessThan(_stream.Appended / 2);
        return;

        static string Identity(ControlRecord record) => $"{record.Key} {record.Version} {record.Id}";
    }

    private Task<ControlLog> OpenAsync(bool declare = true, Action<ControlRecord>? changed = null, Action? failed = null) =>
        ControlLog.OpenAsync(_stream.Open(), declare, changed ?? (static _ => { }), failed ?? (static () => { }), CancellationToken.None);

    private static ControlRecord Record(long version, string body = "{}", string key = "orders") => new(Kind, key, version, Encoding.UTF8.GetBytes(body));
}
