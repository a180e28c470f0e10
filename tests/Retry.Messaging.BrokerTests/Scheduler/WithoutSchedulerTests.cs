using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What people search for: MassTransit alone, on a broker without the delay plugin.</summary>
[Collection(SharedBroker.Name)]
public sealed class WithoutSchedulerTests(BrokerFixture broker)
{
    [Fact]
    public async Task MassTransit_alone_asks_for_an_exchange_that_the_broker_does_not_know_again_and_again()
    {
        var faults = new Failures();
        await using var service = await RetryService.StartAsync(
            await broker.CreateVirtualHostAsync(),
            (_, cfg) => cfg.ConnectSendObserver(faults),
            x => x.AddDelayedMessageScheduler());
        using var gaveUp = new CancellationTokenSource();
        var send = service.Bus.CreateDelayedMessageScheduler().ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddSeconds(1), new Order(1), gaveUp.Token);

        await Tests.Waiting.Eventually.TrueAsync(() => faults.Count > 1, TimeSpan.FromSeconds(30), () => $"{faults.Count} failures, the send is {send.Status}: {faults.Last} {send.Exception}");

        faults.Last!.Message.ShouldContain("COMMAND_INVALID - ");
        faults.Last.Message.ShouldContain("unknown exchange type 'x-delayed-message'");
        send.IsCompleted.ShouldBeFalse();
        await gaveUp.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => send);
    }

    public sealed record Order(int Number);

    private sealed class Failures : ISendObserver
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Exception? Last { get; private set; }

        public Task PreSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task SendFault<T>(SendContext<T> context, Exception exception)
            where T : class
        {
            Last = exception;
            Interlocked.Increment(ref _count);
            return Task.CompletedTask;
        }
    }
}
