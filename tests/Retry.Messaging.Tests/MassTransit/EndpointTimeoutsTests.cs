using System.Reflection;
using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.RabbitMq.Holding;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What RabbitMQ does to an endpoint that holds a delivery for too long: 4.3 cancels its consumer, older ones close its channel.</summary>
public sealed class EndpointTimeoutsTests
{
    private readonly HoldTime _hold = new();
    private readonly Fake _channel = Fake.Of<IChannel>();
    private readonly Fake _context = Fake.Of<ChannelContext>();
    private readonly Fake _consumer = Fake.Of<IAsyncBasicConsumer>();
    private readonly EndpointTimeouts _timeouts;
    private int _runs;

    public EndpointTimeoutsTests()
    {
        _timeouts = new EndpointTimeouts(_hold);
        _context.Answers["get_Channel"] = _channel;
        _context.Answers["get_CancellationToken"] = CancellationToken.None;
        _context.Answers[nameof(ChannelContext.BasicConsume)] = Task.FromResult("tag");
        _consumer.Answers[nameof(IAsyncBasicConsumer.HandleBasicCancelAsync)] = Task.CompletedTask;
        _channel.Answers[nameof(IChannel.CloseAsync)] = Task.CompletedTask;
    }

    [Fact]
    public async Task A_channel_whose_consumer_was_taken_is_closed_and_not_consumed_on_again()
    {
        await ConsumeAsync();

        await Consumed().HandleBasicCancelAsync("tag");
        await Should.ThrowAsync<OperationCanceledException>(ConsumeAsync);

        _consumer.Count(nameof(IAsyncBasicConsumer.HandleBasicCancelAsync)).ShouldBe(1, "MassTransit is told, too");
        _channel.Count(nameof(IChannel.CloseAsync)).ShouldBe(1);
        _runs.ShouldBe(1);
    }

    [Fact]
    public async Task A_channel_whose_consumer_was_not_taken_is_used_again()
    {
        await ConsumeAsync();
        await ConsumeAsync();

        _channel.Count(nameof(IChannel.CloseAsync)).ShouldBe(0);
        _runs.ShouldBe(2);
    }

    [Fact]
    public async Task What_the_broker_says_when_it_closes_the_channel_is_noted()
    {
        await _timeouts.Send((ChannelContext)(object)_context, Pipe.ExecuteAsync<ChannelContext>(async _ =>
        {
            var closed = (AsyncEventHandler<ShutdownEventArgs>)_channel.Calls.Single(call => call.Name == "add_ChannelShutdownAsync").Arguments[0]!;
            await closed(_channel, new ShutdownEventArgs(ShutdownInitiator.Peer, 406, "PRECONDITION_FAILED - delivery acknowledgement on channel 3 timed out. Timeout value used: 60000 ms. This timeout value can be configured"));
        }));

        _hold.ConsumerTimeout.ShouldBe(TimeSpan.FromSeconds(60));
        _channel.Count("remove_ChannelShutdownAsync").ShouldBe(1);
    }

    private Task ConsumeAsync() => _timeouts.Send((ChannelContext)(object)_context, Pipe.ExecuteAsync<ChannelContext>(async context =>
    {
        _runs++;
        await context.BasicConsume("orders", false, false, new Dictionary<string, object>(), (IAsyncBasicConsumer)(object)_consumer, "tag", CancellationToken.None);
    }));

    private IAsyncBasicConsumer Consumed() => (IAsyncBasicConsumer)_context.Calls.Single(call => call.Name == nameof(ChannelContext.BasicConsume)).Arguments[4]!;

    /// <summary>Notes what is called, and answers what it was told to.</summary>
    public class Fake : DispatchProxy
    {
        internal Dictionary<string, object?> Answers { get; } = [];

        internal List<(string Name, object?[] Arguments)> Calls { get; } = [];

        internal static Fake Of<T>()
            where T : class => (Fake)(object)Create<T, Fake>();

        internal int Count(string name) => Calls.Count(call => call.Name == name);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls.Add((targetMethod!.Name, args ?? []));
            return Answers.GetValueOrDefault(targetMethod.Name);
        }
    }
}
