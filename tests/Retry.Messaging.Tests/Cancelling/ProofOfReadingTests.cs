using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cancelling;

public class ProofOfReadingTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _written = [];
    private readonly List<string> _said = [];
    private readonly ProofOfReading _proof;
    private Func<Task> _write = () => Task.CompletedTask;

    public ProofOfReadingTests() => _proof = Proof(_time);

    [Fact]
    public async Task It_is_given_when_the_marker_has_come_back()
    {
        var asked = AskAsync();

        asked.IsCompleted.ShouldBeFalse();
        _proof.Read(_written.ShouldHaveSingleItem());
        await asked.WaitAsync(Deadline);
    }

    [Fact]
    public void A_marker_of_another_proves_nothing()
    {
        var asked = AskAsync();

        _proof.Read("another");
        asked.IsCompleted.ShouldBeFalse();
    }

    /// <summary>What was cancelled a second before is known, when the marker was written no more than half a second before.</summary>
    [Theory]
    [InlineData(0, true, 1)]
    [InlineData(249, true, 1)]
    [InlineData(250, true, 2)]
    [InlineData(499, true, 2)]
    [InlineData(500, false, 2)]
    public async Task A_proof_is_good_for_half_a_second_from_when_its_marker_was_written_and_renewed_before(int milliseconds, bool isGood, int markers)
    {
        var first = AskAsync();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _proof.Read(_written[0]);
        await first.WaitAsync(Deadline);

        var second = AskAsync();

        second.IsCompleted.ShouldBe(isGood);
        _written.Count.ShouldBe(markers);
    }

    [Fact]
    public async Task All_who_ask_at_a_time_share_a_marker()
    {
        var all = Enumerable.Range(0, 100).Select(_ => AskAsync()).ToList();

        _proof.Read(_written.ShouldHaveSingleItem());
        await Task.WhenAll(all).WaitAsync(Deadline);
    }

    /// <summary>A slow broker makes it slow, and does not stop it.</summary>
    [Fact]
    public async Task Who_asks_long_after_a_marker_was_written_waits_for_the_next_one()
    {
        var early = AskAsync();
        _time.Advance(TimeSpan.FromMilliseconds(900));
        var late = AskAsync();
        _proof.Read(_written[0]);
        await early.WaitAsync(Deadline);
        await Eventually.TrueAsync(() => _written.Count == 2, Deadline);

        late.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(900));
        _proof.Read(_written[1]);
        await late.WaitAsync(Deadline);
    }

    [Fact]
    public async Task A_marker_that_does_not_come_back_is_said_after_a_second_and_ends_it_when_nothing_is_read_for_ten()
    {
        var clock = new WaitedClock();
        var proof = Proof(clock);
        var asked = proof.ProveAsync(CancellationToken.None).AsTask();
        await clock.NextAsync(Deadline);
        await Eventually.TrueAsync(() => _said.Count == 1, Deadline);

        // others come, so the reader lives
        proof.Read();
        await clock.NextAsync(Deadline);
        await Eventually.TrueAsync(() => _said.Count == 2, Deadline);
        asked.IsCompleted.ShouldBeFalse();

        await clock.NextAsync(Deadline);
        (await Should.ThrowAsync<ControlException>(() => asked.WaitAsync(Deadline))).Message.ShouldContain("10 s");
    }

    [Fact]
    public async Task A_broker_that_takes_nothing_is_asked_again()
    {
        var clock = new WaitedClock();
        var proof = Proof(clock);
        _write = () => throw new ControlException("low on memory");
        var asked = proof.ProveAsync(CancellationToken.None).AsTask();
        await clock.AskedAsync(Deadline);

        _write = () => Task.CompletedTask;
        await clock.NextAsync(Deadline);
        await Eventually.TrueAsync(() => _written.Count == 1, Deadline);
        proof.Read(_written[0]);

        await asked.WaitAsync(Deadline);
        _said.ShouldBe(["low on memory"]);
    }

    private ProofOfReading Proof(TimeProvider time) => new(
        async (id, _) =>
        {
            await _write();
            _written.Add(id);
        },
        _said.Add,
        time);

    private Task AskAsync() => _proof.ProveAsync(CancellationToken.None).AsTask();
}
