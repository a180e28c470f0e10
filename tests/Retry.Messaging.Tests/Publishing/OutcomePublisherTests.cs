using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Publishing;

/// <summary>An outcome that the broker does not take is held: how often it is tried, what is said meanwhile, and when the delivery goes back.</summary>
public sealed class OutcomePublisherTests : IDisposable
{
    // RabbitMQ closes the channel of a consumer that holds a delivery for longer, unless told otherwise
    private static readonly TimeSpan ConsumerTimeout = TimeSpan.FromMinutes(30);

    private readonly WaitedClock _clock = new();
    private readonly Lines _log = new();
    private readonly RetryMetrics _metrics = new();
    private readonly PointTelemetry _point;
    private readonly OutcomePublisher _publisher;

    public OutcomePublisherTests()
    {
        _point = _metrics.Point(this, "orders", _clock);
        _publisher = new OutcomePublisher(_clock, new Random(1), _log);
    }

    [Fact]
    public async Task Is_tried_again_after_one_to_thirty_seconds_and_goes_back_before_the_consumer_timeout()
    {
        var tries = new List<TimeSpan>();
        var began = _clock.Now;
        var holding = HoldAsync(() =>
        {
            tries.Add(_clock.Now);
            throw new PublishRefusedException("Exchange 'retry.v1.s' does not exist.");
        });

        await _clock.RunAsync(holding, _ =>
        {
            _publisher.Held.Count.ShouldBe(1);
            return Task.CompletedTask;
        });

        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => holding)).Message.ShouldContain("Held for 20m without a confirm");
        var pauses = tries.Zip(tries.Skip(1), (first, second) => (second - first).TotalSeconds).ToList();
        // the last is cut short by the end
        for (var i = 0; i < pauses.Count - 1; i++)
        {
            var planned = Math.Min(Math.Pow(2, i), 30);
            pauses[i].ShouldBeInRange(planned * 0.8, planned * 1.2);
        }

        (_clock.Now - began).ShouldBe(HoldTime.Unknown, TimeSpan.FromSeconds(1));
        _log.Count.ShouldBeInRange(10, 20, "at most one line a minute");
        _log.ShouldAllBe(line => line.Contains("outcomes are held: 1.") && line.Contains("'retry.v1.s' does not exist"));
        _publisher.Held.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Goes_back_at_once_when_its_connection_is_gone_or_its_endpoint_stops()
    {
        var gone = _publisher.Held.RepeatAsync(_point, Hold(), () => false, _ => true, _ => throw new IOException("reset"), default);
        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => gone)).Message.ShouldContain("connection was lost");

        _point.Health.Held.Stop();
        var stopped = HoldAsync(() => throw new IOException("refused"));
        var ended = await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => stopped);
        ended.Message.ShouldContain("endpoint stops");
        ended.EndpointStops.ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_no_refusal_is_not_tried_again()
    {
        var tries = 0;
        await Should.ThrowAsync<InvalidOperationException>(() => HoldAsync(() =>
        {
            tries++;
            throw new InvalidOperationException("a defect");
        }));
        tries.ShouldBe(1);
    }

    /// <summary>A name that is too long, a header that cannot be written: sent back, the message would fail again at once.</summary>
    [Fact]
    public async Task What_can_never_be_written_is_held_with_a_growing_pause_and_said()
    {
        var connection = RetryConnection.Of(SilentBroker.Create().Connection);
        var tries = new List<TimeSpan>();
        var publishing = _publisher.PublishAsync(
            _point,
            connection,
            _ => Task.CompletedTask,
            Hold(),
            () =>
            {
                tries.Add(_clock.Now);
                throw new ArgumentOutOfRangeException("routingKey", "Longer than 255 bytes.");
            },
            CancellationToken.None);

        await _clock.RunAsync(publishing, _ => Task.CompletedTask);

        await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => publishing);
        tries.Count.ShouldBeInRange(30, 60, "every 30 s for 20 minutes");
        _log.ShouldAllBe(line => line.Contains("ArgumentOutOfRangeException: Longer than 255 bytes."));
    }

    /// <summary>The consumer has run for half a minute before its outcome is refused; the broker counts from the delivery.</summary>
    [Fact]
    public async Task The_time_counts_from_the_delivery_and_no_pause_outlasts_it()
    {
        var began = _clock.Now;
        var hold = Hold(new HoldTime(TimeSpan.FromSeconds(60))) with { Since = _clock.GetTimestamp() - TimeSpan.FromSeconds(30).Ticks };

        var holding = HoldAsync(() => throw new PublishRefusedException("The broker refused the message (nack)."), hold);
        await _clock.RunAsync(holding, _ => Task.CompletedTask);

        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => holding)).WasHeldTooLong.ShouldBeTrue();
        (_clock.Now - began).ShouldBe(TimeSpan.FromSeconds(6), TimeSpan.FromSeconds(1));
    }

    /// <summary>The broker refuses for a quarter of an hour, and then falls silent with the publish in its socket.</summary>
    [Fact]
    public async Task Silence_after_refusals_does_not_hold_it_beyond_the_consumer_timeout()
    {
        var broker = SilentBroker.Create();
        var connection = RetryConnection.Of(broker.Connection);
        await broker.BlockAsync("low on memory");
        var began = _clock.Now;
        var publishing = _publisher.PublishAsync(_point, connection, _ => Task.CompletedTask, Hold(), () => new OutcomeMessage("retry.v1.s", "0.0.0.0.0.0.1.0.orders", new BasicProperties(), default), CancellationToken.None);

        await _clock.RunAsync(publishing, now => now - began < TimeSpan.FromMinutes(15) ? Task.CompletedTask : broker.UnblockAsync());

        await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => publishing);
        broker.Publishes.ShouldBe(1, "what is in the socket is not published again");
        (_clock.Now - began).ShouldBeLessThan(ConsumerTimeout);
        _log.ShouldContain(line => line.Contains("low on memory"));
        _log.ShouldContain(line => line.Contains("The broker is silent"));
    }

    /// <summary>The client tells one channel after the other that the connection closed, and hangs before it comes to ours.</summary>
    [Fact]
    public async Task A_publish_is_not_waited_for_when_its_connection_is_closed()
    {
        var broker = SilentBroker.Create();
        var began = _clock.Now;
        var publishing = _publisher.PublishAsync(_point, RetryConnection.Of(broker.Connection), _ => Task.CompletedTask, Hold(), () => new OutcomeMessage("retry.v1.s", "0.0.0.0.0.0.1.0.orders", new BasicProperties(), default), CancellationToken.None);
        broker.Close();

        await _clock.RunAsync(publishing, _ => Task.CompletedTask);

        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => publishing)).Message.ShouldContain("connection was lost");
        (_clock.Now - began).ShouldBeLessThan(TimeSpan.FromSeconds(15));
    }

    /// <summary>An alarm, and a message that its queue would drop after a few more returns: there is no other way, and somebody must know.</summary>
    [Fact]
    public async Task Near_the_delivery_limit_without_another_way_it_goes_back_and_what_to_type_is_said()
    {
        var broker = SilentBroker.Create();
        var connection = RetryConnection.Of(broker.Connection);
        await broker.BlockAsync("low on memory");
        var publishing = _publisher.PublishAsync(
            _point,
            connection,
            _ => Task.CompletedTask,
            Hold(isLast: true),
            () => new OutcomeMessage("retry.v1.s", "0.0.0.0.0.0.1.0.orders", new BasicProperties { MessageId = "order 7" }, default),
            CancellationToken.None);

        await _clock.RunAsync(publishing, _ => Task.CompletedTask);

        (await Assert.ThrowsAsync<OutcomeNotConfirmedException>(() => publishing)).Message.ShouldContain("Held for 20m without a confirm");
        broker.Publishes.ShouldBe(0);
        _log.Where(line => line.Contains("could not publish the outcome of message order 7")).ShouldHaveSingleItem()
            .ShouldContain("Raise the queue's delivery limit now: 'retryctl topology apply --point orders' does");
    }

    private DeliveryHold Hold(HoldTime? time = null, bool isLast = false) => new(time ?? new HoldTime(), _clock.GetTimestamp(), isLast);

    public void Dispose() => _metrics.Dispose();

    private Task HoldAsync(Action step, DeliveryHold? hold = null) => _publisher.Held.RepeatAsync(
        _point,
        hold ?? Hold(),
        () => true,
        exception => exception is PublishRefusedException or IOException,
        _ =>
        {
            step();
            return Task.CompletedTask;
        },
        CancellationToken.None);

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Add(formatter(state, exception));
    }
}
