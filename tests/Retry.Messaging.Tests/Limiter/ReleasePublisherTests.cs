using System.Text;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Limiter.Gates;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>By which way a release goes, and what becomes of it.</summary>
public sealed class ReleasePublisherTests
{
    private const string Work = "orders";

    private readonly FakeTimeProvider _clock = new();
    private readonly QueueBroker _broker = QueueBroker.Create();

    [Fact]
    public async Task A_message_goes_straight_to_work()
    {
        var publisher = await OpenAsync();

        await publisher.SendAsync(Delivery(1, new RetryState { Id = "a", Attempt = 2 }), null, TimeSpan.Zero, CancellationToken.None);

        ShouldHaveGone(DelayLadder.Route(TimeSpan.Zero, Work));
    }

    [Fact]
    public async Task A_message_that_met_a_death_waits_half_a_second_until_its_release_is_safe()
    {
        var publisher = await OpenAsync();

        await publisher.SendAsync(Delivery(1, new RetryState { Id = "a", Attempt = 2, Crashes = 1 }), null, TimeSpan.Zero, CancellationToken.None);

        ShouldHaveGone(DelayLadder.Route(TimeSpan.FromMilliseconds(500), Work));
    }

    [Fact]
    public async Task What_was_confirmed_together_is_done_together_and_what_was_refused_is_put_back()
    {
        var refusals = new RefusalGate(() => 0, _clock);
        var publisher = await OpenAsync(refusals);
        foreach (var tag in new ulong[] { 1, 2, 3, 4 })
        {
            await publisher.SendAsync(Delivery(tag, new RetryState { Id = $"{tag}", Attempt = 2 }), null, TimeSpan.Zero, CancellationToken.None);
        }

        publisher.Unconfirmed.ShouldBe(4);
        await _broker.AnswerAsync(2, multiple: true);
        await _broker.AnswerAsync(4, refused: true);

        List<ulong> done = [];
        List<ulong> refused = [];
        publisher.Settle(delivery => done.Add(delivery.Tag), delivery => refused.Add(delivery.Tag));

        done.ShouldBe([1ul, 2]);
        refused.ShouldBe([4ul]);
        publisher.Unconfirmed.ShouldBe(1);
        refusals.IsRefused.ShouldBeTrue();
    }

    private async Task<ReleasePublisher> OpenAsync(RefusalGate? refusals = null)
    {
        var connection = new LimiterConnectionInMemory(_broker, _clock);
        return new ReleasePublisher(
            await _broker.Connection.CreateChannelAsync(),
            connection,
            Work,
            refusals ?? new RefusalGate(() => 0, _clock),
            connection.WakeUp,
            _clock);
    }

    private void ShouldHaveGone(LadderRoute route)
    {
        var published = _broker.Publishes.ShouldHaveSingleItem();
        published.Exchange.ShouldBe(route.Exchange);
        published.RoutingKey.ShouldBe(route.RoutingKey);
    }

    private LimitedDelivery Delivery(ulong tag, RetryState state)
    {
        var headers = new Dictionary<string, object?>();
        RetryHeaderWriter.WritePacked(headers, state, Work);
        // as the client reads a text
        headers[RetryHeaderNames.State] = Encoding.UTF8.GetBytes((string)headers[RetryHeaderNames.State]!);
        return new(tag, new BasicProperties { Headers = headers }, default, _clock.GetTimestamp());
    }
}
