using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Instances;

/// <summary>What a service does that cannot learn whether other instances live.</summary>
public sealed class InstanceWatchTests : IDisposable
{
    private const string Queue = "orders";
    private static readonly InstanceFacts Facts = new(DateTimeOffset.UnixEpoch, "1.0.0", "none", ".NET", null);
    private static readonly ServedPoint Point = new(Queue);

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly QueueBroker _broker = QueueBroker.Create();
    private readonly FakeTimeProvider _clock = new();
    private readonly LogLines _lines = new(string.Empty);

    [Fact]
    public async Task A_broker_that_does_not_answer_holds_a_start_up_for_ten_seconds_and_that_is_said_once()
    {
        _broker.FallsSilent();
        var watch = new InstanceWatch(Facts, _clock, _lines);

        var start = watch.BeginAsync(_broker.Connection, Point, CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromMilliseconds(1));
        start.IsCompleted.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await start.WaitAsync(Deadline);

        await PassAsync(watch.BeginAsync(_broker.Connection, Point, CancellationToken.None));
        _lines.Written.ShouldHaveSingleItem().ShouldStartWith("Warning: This service cannot tell whether other instances die: the broker did not answer within 10 s.");
    }

    [Fact]
    public async Task Whether_somebody_died_is_not_known_then()
    {
        _broker.FallsSilent();
        var watch = new InstanceWatch(Facts, _clock, _lines);
        await PassAsync(watch.BeginAsync(_broker.Connection, Point, CancellationToken.None));

        var died = watch.HasSomebodyDiedAsync(Queue, CancellationToken.None);
        await PassAsync(died);

        (await died).ShouldBeNull();
    }

    [Fact]
    public async Task A_service_that_never_began_stops_at_once()
    {
        var watch = new InstanceWatch(Facts, _clock, _lines);

        await watch.EndAsync().WaitAsync(Deadline);

        _lines.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_stops_suspects_nobody()
    {
        var watch = new InstanceWatch(Facts, _clock, _lines);
        await watch.EndAsync().WaitAsync(Deadline);

        var died = watch.HasSomebodyDiedAsync(Queue, CancellationToken.None);
        await PassAsync(died);

        (await died).ShouldBe(false);
    }

    // the clock goes on until the work is over
    private Task PassAsync(Task work) => Eventually.TrueAsync(
        () =>
        {
            if (!work.IsCompleted)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            }

            return work.IsCompleted;
        },
        Deadline,
        every: TimeSpan.FromMilliseconds(1));

    public void Dispose() => _lines.Dispose();
}
