using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.RabbitMq.Publishing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Publishing;

/// <summary>A publish ends: confirmed, refused, or with its channel. Whatever the client does, none is waited for without end.</summary>
[Collection(OperatorBroker.Name)]
public sealed class ConfirmedPublisherTests(BrokerFixture broker)
{
    private const string Queue = "orders";
    private const int Messages = 5000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The connection breaks while its socket is full: the client's writing loop dies with a full queue before it, in which the next
    /// publish waits for a place for ever, and all others wait behind it.
    /// </summary>
    [Fact]
    public async Task Publishes_end_when_their_connection_breaks_with_thousands_on_their_way()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync(Queue);
        await using var wire = new StallingWire(uri);
        var connection = await BrokerFixture.ConnectAsync(wire.Address);
        var publisher = new ConfirmedPublisher(connection, Messages);
        var body = new byte[16 * 1024];
        await publisher.PublishAsync(string.Empty, Queue, new BasicProperties(), body, default);

        wire.Stall();
        var publishes = Enumerable.Range(0, Messages).Select(_ => publisher.PublishAsync(string.Empty, Queue, new BasicProperties(), body, default)).ToList();
        await wire.WaitUntilFullAsync(Deadline);
        publishes.ShouldAllBe(publish => !publish.IsCompleted);
        wire.Reset();

        await Task.WhenAll(publishes).WaitAsync(Deadline).ContinueWith(_ => { }, TaskScheduler.Default);
        publishes.Count(publish => publish.Exception?.InnerException is PublishRefusedException).ShouldBe(Messages);
        // the client, too, has got over it
        await connection.DisposeAsync().AsTask().WaitAsync(Deadline);
    }

    /// <summary>What was sent before it is not published again: it would be there twice.</summary>
    [Fact]
    public async Task A_message_that_cannot_be_written_fails_alone()
    {
        const int each = 200;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync(Queue);
        await using var connection = await BrokerFixture.ConnectAsync(uri);
        await using var publisher = new ConfirmedPublisher(connection);

        var before = Enumerable.Range(0, each).Select(_ => PublishAsync(Queue)).ToList();
        var unwritable = PublishAsync(new string('q', 256));
        var after = Enumerable.Range(0, each).Select(_ => PublishAsync(Queue)).ToList();

        await Should.ThrowAsync<ArgumentException>(() => unwritable);
        await Task.WhenAll([.. before, .. after]).WaitAsync(Deadline);
        await raw.WaitForCountAsync(Queue, 2 * each, Deadline);

        Task PublishAsync(string queue) => publisher.PublishAsync(string.Empty, queue, new BasicProperties(), new byte[100], default);
    }
}
