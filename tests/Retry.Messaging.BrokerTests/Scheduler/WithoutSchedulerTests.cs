using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What people search for: MassTransit alone, on a broker without the delay plugin.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class WithoutSchedulerTests(BrokerFixture broker)
{
    [Fact]
    public async Task MassTransit_alone_asks_for_an_exchange_that_the_broker_does_not_know_and_its_call_does_not_return()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await RetryService.StartAsync(uri, (_, _) => { }, _ => { });
        using var gaveUp = new CancellationTokenSource();

        var send = service.Bus.CreateDelayedMessageScheduler().ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddHours(1), new Order(1), gaveUp.Token);

        await Tests.Waiting.Never.TrueAsync(() => send.IsCompleted, TimeSpan.FromSeconds(5));
        // it need not return then either: MassTransit may wait for the answer of a channel that is gone
        await gaveUp.CancelAsync();
        _ = send.ContinueWith(static ended => ended.Exception, TaskScheduler.Default);
        // the broker's own words: on 3.10 MassTransit's observers do not always see them, since it loses the connection
        await using var channel = await raw.Connection.CreateChannelAsync();
        var refused = await Should.ThrowAsync<OperationInterruptedException>(() => channel.ExchangeDeclareAsync("later_delay", "x-delayed-message"));
        var closes = refused.ShutdownReason!.ReplyCode == Constants.PreconditionFailed ? "PRECONDITION_FAILED" : "COMMAND_INVALID";
        refused.Message.ShouldContain($"{closes} - unknown exchange type 'x-delayed-message'");
    }

    public sealed record Order(int Number);
}
