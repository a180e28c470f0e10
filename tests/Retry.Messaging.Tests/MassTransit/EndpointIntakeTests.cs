using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.MassTransit.Endpoints;
using Shouldly;
using Xunit;
using Fake = Retry.Messaging.Tests.MassTransit.EndpointTimeoutsTests.Fake;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A consumer that is taken away from the broker for a time: MassTransit's own does not notice.</summary>
public sealed class EndpointIntakeTests : IDisposable
{
    private const ushort Prefetch = 20;

    private readonly Fake _context = Fake.Of<ChannelContext>();
    private readonly Fake _consumer = Fake.Of<IAsyncBasicConsumer>();
    private readonly EndpointIntake _intake;
    private ulong _delivered;

    public EndpointIntakeTests()
    {
        _context.Answers["get_CancellationToken"] = CancellationToken.None;
        _context.Answers[nameof(ChannelContext.BasicConsume)] = Task.FromResult("tag");
        foreach (var call in (string[])[nameof(ChannelContext.BasicCancel), nameof(ChannelContext.BasicQos), nameof(ChannelContext.BasicNack)])
        {
            _context.Answers[call] = Task.CompletedTask;
        }

        foreach (var call in (string[])[nameof(IAsyncBasicConsumer.HandleBasicDeliverAsync), nameof(IAsyncBasicConsumer.HandleBasicConsumeOkAsync), nameof(IAsyncBasicConsumer.HandleBasicCancelOkAsync)])
        {
            _consumer.Answers[call] = Task.CompletedTask;
        }

        _intake = new EndpointIntake((ChannelContext)(object)_context, () => Prefetch);
    }

    private IAsyncBasicConsumer Consumed => (IAsyncBasicConsumer)_context.Calls.Last(call => call.Name == nameof(ChannelContext.BasicConsume)).Arguments[4]!;

    private int Seen => _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicDeliverAsync));

    private IReadOnlyList<object?> PrefetchSet => [.. _context.Calls.Where(call => call.Name == nameof(ChannelContext.BasicQos)).Select(call => call.Arguments[1])];

    [Fact]
    public async Task What_is_on_its_way_while_it_is_closed_goes_back_unseen()
    {
        await ConsumeAsync();
        await DeliverAsync();
        Seen.ShouldBe(1);

        await _intake.CloseAsync(CancellationToken.None);
        await DeliverAsync();

        Seen.ShouldBe(1);
        _context.Count(nameof(ChannelContext.BasicCancel)).ShouldBe(1);
        var back = _context.Calls.Single(call => call.Name == nameof(ChannelContext.BasicNack)).Arguments;
        (back[0], back[1], back[2]).ShouldBe(((object)2ul, (object)false, (object)true));

        await _intake.OpenAsync(CancellationToken.None);
        await DeliverAsync();
        Seen.ShouldBe(2);
        PrefetchSet.ShouldBe([Prefetch]);
    }

    [Fact]
    public async Task One_is_taken_alone_and_the_consumer_is_gone_before_it_begins()
    {
        await ConsumeAsync();
        await _intake.CloseAsync(CancellationToken.None);
        var taken = 0ul;
        var running = new TaskCompletionSource();
        _consumer.Answers[nameof(IAsyncBasicConsumer.HandleBasicDeliverAsync)] = running.Task;

        var taking = _intake.TakeOneAsync(tag => taken = tag, CancellationToken.None);
        PrefetchSet.ShouldBe([(ushort)1]);
        var delivering = DeliverAsync();

        taken.ShouldBe(1ul);
        Seen.ShouldBe(1);
        _context.Count(nameof(ChannelContext.BasicCancel)).ShouldBe(2);
        taking.IsCompleted.ShouldBeFalse("it runs");
        await DeliverAsync();
        Seen.ShouldBe(1, "a second one goes back");
        _context.Count(nameof(ChannelContext.BasicNack)).ShouldBe(1);

        running.SetResult();
        await delivering;
        await taking;
    }

    [Fact]
    public async Task One_that_is_no_longer_waited_for_leaves_the_new_consumer_alone()
    {
        await ConsumeAsync();
        await _intake.CloseAsync(CancellationToken.None);
        using var enough = new CancellationTokenSource();
        var taking = _intake.TakeOneAsync(static _ => { }, enough.Token);
        await enough.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(taking);

        await _intake.OpenAsync(CancellationToken.None);
        var cancelled = _context.Count(nameof(ChannelContext.BasicCancel));
        await DeliverAsync();

        Seen.ShouldBe(1);
        _context.Count(nameof(ChannelContext.BasicCancel)).ShouldBe(cancelled);
    }

    [Fact]
    public async Task An_endpoint_that_starts_while_it_is_closed_is_ready_and_takes_nothing()
    {
        await _intake.CloseAsync(CancellationToken.None);

        await ConsumeAsync();

        _context.Count(nameof(ChannelContext.BasicConsume)).ShouldBe(0);
        _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicConsumeOkAsync)).ShouldBe(1);
        await _intake.OpenAsync(CancellationToken.None);
        _context.Count(nameof(ChannelContext.BasicConsume)).ShouldBe(1);
        await Consumed.HandleBasicConsumeOkAsync("tag");
        _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicConsumeOkAsync)).ShouldBe(1, "MassTransit's consumer began once");
    }

    [Fact]
    public async Task MassTransit_is_told_that_its_consumer_is_gone_only_when_it_stops_it()
    {
        await ConsumeAsync();
        await _intake.CloseAsync(CancellationToken.None);
        await Consumed.HandleBasicCancelOkAsync("tag");
        _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicCancelOkAsync)).ShouldBe(0);
        await _intake.OpenAsync(CancellationToken.None);
        var cancelled = _context.Count(nameof(ChannelContext.BasicCancel));

        await ((ChannelContext)_intake).BasicCancel("tag", CancellationToken.None);

        _context.Count(nameof(ChannelContext.BasicCancel)).ShouldBe(cancelled + 1);
        await Consumed.HandleBasicCancelOkAsync("tag");
        _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicCancelOkAsync)).ShouldBe(1);
        await _intake.OpenAsync(CancellationToken.None);
        _context.Count(nameof(ChannelContext.BasicConsume)).ShouldBe(2, "what stops is not opened again");
    }

    public void Dispose() => _intake.Dispose();

    private Task<string> ConsumeAsync() => ((ChannelContext)_intake).BasicConsume(
        "orders",
        false,
        false,
        new Dictionary<string, object>(),
        (IAsyncBasicConsumer)(object)_consumer,
        string.Empty,
        CancellationToken.None);

    private Task DeliverAsync() => Consumed.HandleBasicDeliverAsync("tag", ++_delivered, false, string.Empty, "orders", new BasicProperties(), ReadOnlyMemory<byte>.Empty);
}
