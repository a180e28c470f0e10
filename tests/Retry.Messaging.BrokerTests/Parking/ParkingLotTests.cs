using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Parking;

[Collection(LotBroker.Name)]
public sealed class ParkingLotTests(BrokerFixture broker)
{
    [Fact]
    public async Task Lists_each_message_once_and_leaves_all_of_them()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3000);

        var listed = await ListAsync(lot, ParkedFilter.All);

        listed.Select(message => message.Id).ShouldBe(Enumerable.Range(0, 3000).Select(RawLot.Id));
        listed.ShouldAllBe(message => message.Body == null && message.Attempts == 3 && message.Reason == ParkReason.Exhausted);
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(3000u, "who looks next sees all of them");
    }

    [Fact]
    public async Task Lists_fifty_times_and_no_message_is_lost_or_changed()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(40);
        for (var i = 0; i < 50; i++)
        {
            (await ListAsync(lot, ParkedFilter.All)).Count.ShouldBe(40);
            (await lot.CountAsync(RawLot.Parked)).ShouldBe(40u);
        }

        (await lot.DrainAsync(RawLot.Parked)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 40).Select(RawLot.Id));
    }

    [Fact]
    public async Task Lists_an_empty_lot_at_once()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        (await ListAsync(lot, ParkedFilter.All)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Leaves_what_is_parked_while_it_reads()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(10);
        var seen = 0;
        await foreach (var message in new ParkingLot(lot.Connection).ListAsync(RawLot.Work, ParkedFilter.All))
        {
            await lot.ParkAsync($"later-{seen++}");
            message.Id.ShouldStartWith("id-");
        }

        seen.ShouldBe(10);
        (await lot.WaitForCountAsync(RawLot.Parked, 20)).ShouldBe(20u);
    }

    [Fact]
    public async Task Ends_when_somebody_else_holds_a_part_of_the_messages()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(100);
        var first = new ParkingLot(lot.Connection).ListAsync(RawLot.Work, ParkedFilter.All).GetAsyncEnumerator();
        await using var firstEnds = first;
        (await first.MoveNextAsync()).ShouldBeTrue();
        await lot.ParkManyAsync(5);

        (await ListAsync(lot, ParkedFilter.All)).Count.ShouldBeLessThanOrEqualTo(5);
    }

    [Fact]
    public async Task Shows_the_body_of_the_wanted_message_only()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("one", body: """{"amount":1}""");
        await lot.ParkAsync("two", body: """{"amount":2}""");

        var shown = new List<ParkedMessage>();
        await foreach (var message in new ParkingLot(lot.Connection).ShowAsync(RawLot.Work, ParkedFilter.OfIds("two")))
        {
            shown.Add(message);
        }

        Encoding.UTF8.GetString(shown.ShouldHaveSingleItem().Body!.Value.Span).ShouldBe("""{"amount":2}""");
    }

    [Fact]
    public async Task Replays_all_with_attempts_anew()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(2500);

        var replayed = await ReplayAsync(lot, ParkedFilter.All, "plan-1");

        replayed.Count.ShouldBe(2500);
        (await lot.WaitForCountAsync(RawLot.Parked, 0)).ShouldBe(0u);
        var arrived = await lot.DrainAsync(RawLot.Work);
        arrived.Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 2500).Select(RawLot.Id));
        var copy = arrived[0];
        copy.Exchange.ShouldBe(BrokerNames.ReturnExchange);
        copy.BasicProperties.Priority.ShouldBe((byte)3);
        copy.BasicProperties.IsExpirationPresent().ShouldBeFalse();
        // a trace is there if another test of this process listens to traces at the moment
        copy.BasicProperties.Headers!.Keys.Where(name => name.StartsWith("MT-", StringComparison.Ordinal) && name != "MT-Activity-Id").ShouldBeEmpty();
        RawLot.Header(copy, "tenant").ShouldBe("acme");
        var state = RetryHeaderReader.Read(copy.BasicProperties.Headers, RawLot.Work);
        state.Attempt.ShouldBe(1);
        state.Replayed.ShouldBe(1);
        state.Plan.ShouldBe("plan-1");
        state.Reason.ShouldBeNull();
        state.FirstFailedAt.ShouldBeNull();
        state.Deadline.ShouldBeNull();
        state.Error.ShouldBeNull();
        state.History.Attempts.Count.ShouldBe(1);
        state.Kept.Exchange.ShouldBe("Shop:Charge");
        state.Kept.ExpiresAt.ShouldBeNull();
    }

    [Fact]
    public async Task Replays_what_the_filter_selects_and_keeps_the_rest_by_id()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3000, i => i % 10 == 0 ? ParkReason.Failed : ParkReason.Exhausted);

        (await ReplayAsync(lot, ParkedFilter.All with { Reason = ParkReason.Failed }, "plan-1")).Count.ShouldBe(300);

        (await lot.WaitForCountAsync(RawLot.Parked, 2700)).ShouldBe(2700u);
        (await lot.DrainAsync(RawLot.Parked)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 3000).Where(i => i % 10 != 0).Select(RawLot.Id));
        (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 3000).Where(i => i % 10 == 0).Select(RawLot.Id));
    }

    [Fact]
    public async Task Replays_no_more_than_the_limit()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(20);
        (await ReplayAsync(lot, ParkedFilter.All with { Limit = 7 }, "plan-1")).Count.ShouldBe(7);
        (await lot.WaitForCountAsync(RawLot.Parked, 13)).ShouldBe(13u);
        (await lot.CountAsync(RawLot.Work)).ShouldBe(7u);
    }

    [Fact]
    public async Task Leaves_a_message_that_the_same_plan_replayed_before()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("again", plan: "plan-1");
        await lot.ParkAsync("fresh", plan: "plan-0");

        (await ReplayAsync(lot, ParkedFilter.All, "plan-1")).ShouldHaveSingleItem().Id.ShouldBe("fresh");
        (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
    }

    [Fact]
    public async Task Replays_through_the_release_queue_where_there_is_one()
    {
        await using var lot = await RawLot.CreateAsync(broker, withRelease: true);
        await lot.ParkAsync("one");
        (await ReplayAsync(lot, ParkedFilter.All, "plan-1")).Count.ShouldBe(1);
        (await lot.CountAsync(RawLot.Work + ".release")).ShouldBe(1u);
        (await lot.CountAsync(RawLot.Work)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_cancelled_replay_loses_nothing_and_doubles_nothing()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(5000);
        using var stop = new CancellationTokenSource();
        var replayed = new List<string>();

        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var message in new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, ParkedFilter.All, cancellationToken: stop.Token))
            {
                replayed.Add(message.Id);
                if (replayed.Count == 700)
                {
                    await stop.CancelAsync();
                }
            }
        });

        replayed.Count.ShouldBeInRange(700, 4999);
        var left = (uint)(5000 - replayed.Count);
        (await lot.WaitForCountAsync(RawLot.Parked, left)).ShouldBe(left);
        var arrived = (await lot.DrainAsync(RawLot.Work)).Select(message => message.BasicProperties.MessageId!).Order().ToList();
        arrived.ShouldBe(replayed.Order());
        arrived.Concat((await lot.DrainAsync(RawLot.Parked)).Select(message => message.BasicProperties.MessageId!)).Order().ShouldBe(Enumerable.Range(0, 5000).Select(RawLot.Id));
    }

    [Fact]
    public async Task A_replay_whose_reader_walks_away_settles_what_it_started()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(3000);
        await foreach (var message in new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, ParkedFilter.All))
        {
            message.Id.ShouldNotBeEmpty();
            break;
        }

        var arrived = await lot.CountAsync(RawLot.Work);
        (await lot.WaitForCountAsync(RawLot.Parked, 3000 - arrived)).ShouldBe(3000 - arrived);
        var all = (await lot.DrainAsync(RawLot.Work)).Concat(await lot.DrainAsync(RawLot.Parked));
        all.Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 3000).Select(RawLot.Id));
    }

    [Fact]
    public async Task Moves_nothing_when_the_work_queue_is_missing()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("one");
        await lot.Channel.QueueDeleteAsync(RawLot.Work);

        (await Should.ThrowAsync<ParkingException>(() => ReplayAsync(lot, ParkedFilter.All, "plan-1"))).Message.ShouldContain("Found no queue 'payments' to replay to; nothing was moved.");
        (await lot.CountAsync(RawLot.Parked)).ShouldBe(1u);
        (await lot.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    [Fact]
    public async Task Binds_the_work_queue_again_when_somebody_made_it_anew()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkAsync("one");
        await lot.Channel.QueueDeleteAsync(RawLot.Work);
        await lot.Channel.QueueDeclareAsync(RawLot.Work, durable: true, exclusive: false, autoDelete: false);

        (await ReplayAsync(lot, ParkedFilter.All, "plan-1")).Count.ShouldBe(1);
        (await lot.CountAsync(RawLot.Work)).ShouldBe(1u);
        (await lot.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    [Fact]
    public async Task Stops_when_the_work_queue_refuses_and_keeps_the_rest()
    {
        await using var lot = await RawLot.CreateAsync(broker, workArguments: new() { ["x-max-length"] = 2, ["x-overflow"] = "reject-publish" });
        await lot.ParkManyAsync(10);
        var replayed = new List<string>();

        (await Should.ThrowAsync<ParkingException>(async () =>
        {
            await foreach (var message in new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, ParkedFilter.All))
            {
                replayed.Add(message.Id);
            }
        })).Message.ShouldContain("Messages that were not moved are still where they were. When the cause is gone, 'retryctl plans resume");

        var arrived = await lot.CountAsync(RawLot.Work);
        ((uint)replayed.Count).ShouldBe(arrived);
        (await lot.WaitForCountAsync(RawLot.Parked, 10 - arrived)).ShouldBe(10 - arrived);
    }

    [Fact]
    public async Task Discards_what_the_filter_selects()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.ParkManyAsync(1500, i => i % 3 == 0 ? ParkReason.Failed : ParkReason.Exhausted);
        var discarded = 0;
        await foreach (var message in new ParkingLot(lot.Connection).DiscardAsync(RawLot.Work, ParkedFilter.All with { Reason = ParkReason.Failed }))
        {
            message.Reason.ShouldBe(ParkReason.Failed);
            discarded++;
        }

        discarded.ShouldBe(500);
        (await lot.WaitForCountAsync(RawLot.Parked, 1000)).ShouldBe(1000u);
        (await lot.DrainAsync(RawLot.Parked)).Select(message => message.BasicProperties.MessageId).Order().ShouldBe(Enumerable.Range(0, 1500).Where(i => i % 3 != 0).Select(RawLot.Id));
    }

    [Fact]
    public async Task Nothing_that_was_discarded_comes_back_when_the_channel_closes()
    {
        // acknowledgements sent right before a channel closes were forgotten by the broker: 77 to 754 of 3,000 came back
        await using var lot = await RawLot.CreateAsync(broker);
        for (var round = 0; round < 3; round++)
        {
            await lot.ParkManyAsync(3000);
            (await CollectAsync(new ParkingLot(lot.Connection).DiscardAsync(RawLot.Work, ParkedFilter.All))).Count.ShouldBe(3000);
            (await ListAsync(lot, ParkedFilter.All)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Reads_and_replays_what_the_broker_itself_dead_lettered()
    {
        await using var lot = await RawLot.CreateAsync(broker, workArguments: new()
        {
            ["x-queue-type"] = "quorum",
            ["x-dead-letter-exchange"] = BrokerNames.ParkingExchange,
            ["x-dead-letter-routing-key"] = RawLot.Work,
            ["x-message-ttl"] = 60_000,
        });
        await lot.Channel.ExchangeDeclareAsync("shop", ExchangeType.Fanout);
        await lot.Channel.QueueBindAsync(RawLot.Work, "shop", "");
        await lot.Channel.BasicPublishAsync("shop", "", true, new BasicProperties { MessageId = "expiring", Expiration = "1" }, "a"u8.ToArray());
        (await lot.WaitForCountAsync(RawLot.Parked, 1)).ShouldBe(1u);
        await lot.Channel.BasicPublishAsync("shop", "", true, new BasicProperties { Priority = 2 }, "b"u8.ToArray());
        await lot.Channel.BasicRejectAsync((await lot.Channel.BasicGetAsync(RawLot.Work, autoAck: false)).ShouldNotBeNull().DeliveryTag, requeue: false);
        (await lot.WaitForCountAsync(RawLot.Parked, 2)).ShouldBe(2u);

        var first = await ListAsync(lot, ParkedFilter.All);
        (await lot.WaitForCountAsync(RawLot.Parked, 2)).ShouldBe(2u);
        var second = await ListAsync(lot, ParkedFilter.All);

        first.Select(message => (message.Id, message.Reason, message.BrokerReason)).Order().ShouldBe(second.Select(message => (message.Id, message.Reason, message.BrokerReason)).Order());
        var expired = first.Single(message => message.Reason == ParkReason.Expired);
        expired.Id.ShouldStartWith("expiring-");
        expired.ParkedAt.ShouldNotBeNull();
        var rejected = first.Single(message => message.Reason == ParkReason.Failed);
        rejected.Id.ShouldStartWith("h-");

        (await lot.WaitForCountAsync(RawLot.Parked, 2)).ShouldBe(2u);
        (await ReplayAsync(lot, ParkedFilter.OfIds(rejected.Id), "plan-1")).Count.ShouldBe(1);
        var copy = (await lot.DrainAsync(RawLot.Work)).ShouldHaveSingleItem();
        copy.BasicProperties.Headers!.Keys.ShouldNotContain("x-death");
        copy.BasicProperties.Priority.ShouldBe((byte)2);
        RetryHeaderReader.Read(copy.BasicProperties.Headers, RawLot.Work).Kept.Exchange.ShouldBe("shop");
    }

    /// <summary>What the broker gave up because it was returned too often; on 4.3 only a lost delivery counts, so each channel is closed with it.</summary>
    [Fact]
    public async Task Shows_what_the_broker_gave_up_as_poison()
    {
        const int limit = 2;
        await using var lot = await RawLot.CreateAsync(broker, workArguments: new()
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = limit,
            ["x-dead-letter-exchange"] = BrokerNames.ParkingExchange,
            ["x-dead-letter-routing-key"] = RawLot.Work,
        });
        await lot.Channel.BasicPublishAsync("", RawLot.Work, true, new BasicProperties { Persistent = true }, "kills"u8.ToArray());
        (await lot.WaitForCountAsync(RawLot.Work, 1)).ShouldBe(1u);
        for (var i = 0; i <= limit; i++)
        {
            await using (var channel = await lot.Connection.CreateChannelAsync())
            {
                (await channel.BasicGetAsync(RawLot.Work, autoAck: false)).ShouldNotBeNull();
            }

            await lot.WaitForCountAsync(i < limit ? RawLot.Work : RawLot.Parked, 1);
        }

        var message = (await ListAsync(lot, ParkedFilter.All)).ShouldHaveSingleItem();
        (message.Reason, message.BrokerReason).ShouldBe((ParkReason.Poison, "delivery_limit"));
        message.Id.ShouldStartWith("h-");
    }

    [Fact]
    public async Task Lists_a_strangers_message_with_garbage_in_our_headers()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        await lot.Channel.BasicPublishAsync(
            BrokerNames.ParkingExchange,
            RawLot.Work,
            true,
            new BasicProperties
            {
                Headers = new Dictionary<string, object?>
                {
                    [RetryHeaderNames.Origin] = RawLot.Work,
                    [RetryHeaderNames.Id] = new List<object?> { 1, "x" },
                    [RetryHeaderNames.Attempt] = "many",
                    [RetryHeaderNames.History] = new byte[] { 0xFF, 0xFE, 9, 9 },
                    [RetryHeaderNames.Kept] = 3.5,
                    [RetryHeaderNames.FirstFailedAt] = -5L,
                    ["x-death"] = "dead",
                    ["MT-Fault-Timestamp"] = "yesterday",
                },
            },
            new byte[] { 0, 1, 2 });

        var message = (await ListAsync(lot, ParkedFilter.All)).ShouldHaveSingleItem();
        message.Id.ShouldStartWith("h-");
        message.Attempts.ShouldBe(0);
        message.Headers[RetryHeaderNames.History].ShouldBe("base64://4JCQ==");
    }

    [Fact]
    public async Task Says_which_name_it_wants_when_there_is_no_such_lot()
    {
        await using var lot = await RawLot.CreateAsync(broker);
        (await Should.ThrowAsync<ParkingException>(() => CollectAsync(new ParkingLot(lot.Connection).ListAsync(RawLot.Parked, ParkedFilter.All)))).Message.ShouldContain("Give the work queue's name, 'payments'");
        (await Should.ThrowAsync<ParkingException>(() => CollectAsync(new ParkingLot(lot.Connection).ListAsync("orders", ParkedFilter.All)))).Message.ShouldContain("'orders.parked'");
    }

    private static Task<List<ParkedMessage>> ListAsync(RawLot lot, ParkedFilter filter) => CollectAsync(new ParkingLot(lot.Connection).ListAsync(RawLot.Work, filter));

    private static Task<List<ParkedMessage>> ReplayAsync(RawLot lot, ParkedFilter filter, string plan) =>
        CollectAsync(new ParkingLot(lot.Connection).ReplayAsync(RawLot.Work, filter, new ReplayOptions { PlanId = plan }));

    private static async Task<List<ParkedMessage>> CollectAsync(IAsyncEnumerable<ParkedMessage> messages)
    {
        var all = new List<ParkedMessage>();
        await foreach (var message in messages)
        {
            all.Add(message);
        }

        return all;
    }
}
