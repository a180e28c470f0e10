using System.Globalization;
using System.Text;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.BrokerTests.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

public sealed class ShutdownTests(OwnNode node) : IClassFixture<OwnNode>
{
    private const string Work = "stopping";
    private const int Messages = 20;
    private const ushort Prefetch = 16;
    private static readonly TimeSpan ConsumerStopTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A broker that answers late, while the host stops: an outcome that is on its way is waited for. Given up, the delivery
    /// would go back although its retry climbs, and each of the two would be a chain of its own.
    /// </summary>
    [Fact]
    public async Task An_outcome_on_its_way_is_waited_for()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        var fail = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new CountdownEvent(Prefetch);
        var failed = new CountdownEvent(Prefetch);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(Work, e =>
            {
                e.PrefetchCount = Prefetch;
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                e.Handler<Job>(async job =>
                {
                    if (job.Message.Id == "first" && job.GetRedeliveryCount() > 0)
                    {
                        first.SetResult();
                        return;
                    }

                    if (job.Message.Id == "first")
                    {
                        throw new InvalidOperationException("fails once");
                    }

                    entered.Signal();
                    await fail.Task;
                    failed.Signal();
                    throw new InvalidOperationException("fails while the host stops");
                });
            }),
            hostOptions: options => options.ConsumerStopTimeout = ConsumerStopTimeout);
        var endpoint = await service.Bus.GetSendEndpoint(new Uri($"queue:{Work}"));

        // opens the channel that outcomes are published on
        await endpoint.Send(new Job("first"));
        await first.Task.WaitAsync(TimeSpan.FromSeconds(30));
        for (var i = 0; i < Messages; i++)
        {
            await endpoint.Send(new Job(i.ToString(CultureInfo.InvariantCulture)));
        }

        (await Task.Run(() => entered.Wait(TimeSpan.FromSeconds(30)))).ShouldBeTrue();
        await using var raw = await RawClient.ConnectAsync(uri);
        var stopping = service.StopAsync();
        await raw.WaitForConsumersAsync(Work, 0, TimeSpan.FromSeconds(10));
        await Signals.SuspendAsync(node.Broker.ProcessId!.Value, TimeSpan.FromSeconds(10));
        try
        {
            fail.SetResult();
            (await Task.Run(() => failed.Wait(TimeSpan.FromSeconds(30)))).ShouldBeTrue();
            // until after the consumers' tokens have been cancelled
            await Never.TrueAsync(() => stopping.IsCompleted, ConsumerStopTimeout + TimeSpan.FromSeconds(1), () => $"{stopping.Status}: {stopping.Exception}");
        }
        finally
        {
            Signals.Send(node.Broker.ProcessId!.Value, Signals.Continue);
        }

        await stopping.WaitAsync(TimeSpan.FromSeconds(30));
        await raw.WaitForCountAsync("retry.v1.200ms", 0, TimeSpan.FromSeconds(10));
        await raw.WaitForCountAsync(Work, Messages, TimeSpan.FromSeconds(10));
        var found = (await raw.DrainAsync(Work)).Select(message => System.Text.Json.JsonDocument.Parse(message.Body).RootElement.GetProperty("message").GetProperty("id").GetString()!);
        found.Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, Messages).Select(i => i.ToString(CultureInfo.InvariantCulture)).Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// A host that stops in the middle of a burst: what has its outcome and was acknowledged does not come back. While the broker's
    /// channel is busy with a quorum queue it keeps acknowledgements back, and forgets them when it is closed.
    /// </summary>
    [Theory]
    [InlineData("classic", false)]
    [InlineData("quorum", true)]
    public async Task What_was_parked_or_done_is_not_given_back(string queue, bool isQuorum)
    {
        const int many = 500;
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var fail = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new CountdownEvent(2 * many);
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
        {
            if (isQuorum)
            {
                e.SetQuorumQueue();
            }

            e.PrefetchCount = 2 * many;
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(0));
            e.Handler<Job>(async job =>
            {
                entered.Signal();
                if (job.Message.Id == "fails")
                {
                    await fail.Task;
                    throw new InvalidOperationException("is parked at once");
                }

                await end.Task;
            });
        }));
        // not "queue:", which would declare a classic one
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("exchange:" + queue));
        await Task.WhenAll(Enumerable.Range(0, 2 * many).Select(i => endpoint.Send(new Job(i < many ? "fails" : "ends well"))));

        (await Task.Run(() => entered.Wait(TimeSpan.FromSeconds(30)))).ShouldBeTrue();
        var stopping = service.StopAsync();
        fail.SetResult();
        await raw.WaitForCountAsync(queue + ".parked", many, TimeSpan.FromSeconds(30));

        // a broker whose log is slow: what the queue is told now is done when the log goes on
        await node.Broker.ControlAsync("eval", "sys:suspend(ra_log_wal), timer:apply_after(2500, sys, resume, [ra_log_wal]).");
        end.SetResult();
        await stopping;

        (await raw.DrainAsync(queue)).Count.ShouldBe(0);
        (await raw.CountAsync(queue + ".parked")).ShouldBe((uint)many);
    }

    /// <summary>A quorum queue that cannot answer while its endpoint stops: the stop goes on, and says what is not known.</summary>
    [Fact]
    public async Task A_queue_that_is_gone_by_the_end_ends_the_stop_with_a_line()
    {
        const string queue = "gone";
        // more than the broker is told at once
        const ushort many = 40;
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var log = new LogLines();
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new CountdownEvent(many);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = many;
                e.UseGradientRetry(context, _ => { });
                e.Handler<Job>(async _ =>
                {
                    entered.Signal();
                    await end.Task;
                });
            }),
            services: log.AddTo);
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("exchange:" + queue));
        await Task.WhenAll(Enumerable.Range(0, many).Select(i => endpoint.Send(new Job(i.ToString(CultureInfo.InvariantCulture)))));
        (await Task.Run(() => entered.Wait(TimeSpan.FromSeconds(30)))).ShouldBeTrue();

        var stopping = service.StopAsync();
        await WaitForCancelAsync(uri);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync(queue);
        }

        end.SetResult();

        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        log.Lines.ShouldContain(line => line.StartsWith("gone: the endpoint stopped before the broker confirmed its last acknowledgements", StringComparison.Ordinal), 1);
    }

    /// <summary>A host that stops while outcomes are held, which could take as long as the broker is ill: the deliveries go back.</summary>
    [Fact]
    public async Task What_is_held_goes_back_at_once()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var log = new LogLines();
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint("held", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3));
                e.Handler<Job>(_ => throw new InvalidOperationException("there is no ladder to climb"));
            }),
            x => x.AddGradientRetry(options => options.ManageTopology = TopologyManagement.Never),
            services: log.AddTo);
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:held"));
        await Task.WhenAll(Enumerable.Range(0, Messages).Select(i => endpoint.Send(new Job(i.ToString(CultureInfo.InvariantCulture)))));
        await log.WaitForLineAsync(TimeSpan.FromSeconds(30), "outcomes are held");

        // the host would wait for 30 s
        await service.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));

        await raw.WaitForCountAsync("held", Messages, TimeSpan.FromSeconds(10));
    }

    /// <summary>
    /// A host that stops between the park and its Fault. Sent by the token of its delivery the Fault failed, and the message
    /// went back, parked as it was.
    /// </summary>
    [Theory]
    [InlineData("""{"messageType":["MESSAGE"],"message":{"id":"fails"}}""", true)]
    [InlineData("not even JSON", false)]
    public async Task What_is_parked_while_the_host_stops_is_announced_and_not_parked_again(string body, bool canBeRead)
    {
        const string queue = "parking";
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(canBeRead ? FaultExchange.Of<Job>() : FaultExchange.ExchangeOf<ReceiveFault>());
        var stop = new StopAfterParking();
        await using var service = await StartFailingAsync(uri, queue, stop);

        await raw.PublishAsync(string.Empty, queue, Encoding.UTF8.GetBytes(body.Replace("MESSAGE", MessageUrn.ForTypeString<Job>(), StringComparison.Ordinal)), new BasicProperties { ContentType = "application/vnd.masstransit+json" });
        await stop.Parked.WaitAsync(TimeSpan.FromSeconds(30));
        await service.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));

        await raw.WaitForCountAsync(faults, 1, TimeSpan.FromSeconds(10));
        (await raw.CountAsync(queue + ".parked")).ShouldBe(1u);
        (await ReadyOrNotAsync(uri, queue)).ShouldBe(0);
        await raw.ShouldHaveLeftNothingBehindAsync(queue);
    }

    /// <summary>The stop does not wait for ever for a Fault: the message is settled without.</summary>
    [Fact]
    public async Task A_fault_that_cannot_be_sent_in_time_does_not_bring_its_message_back()
    {
        const string queue = "unannounced";
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var stop = new StopAfterParking();
        await using var service = await StartFailingAsync(uri, queue, stop);
        service.Bus.ConnectPublishObserver(new FaultsTakeForEver());

        await (await service.Bus.GetSendEndpoint(new Uri("queue:" + queue))).Send(new Job("fails"));
        await stop.Parked.WaitAsync(TimeSpan.FromSeconds(30));
        await service.StopAsync().WaitAsync(TimeSpan.FromSeconds(25));

        stop.Log.Lines.ShouldContain(line => line.StartsWith("unannounced: could not send the Fault of", StringComparison.Ordinal) && line.Contains("could not be sent within 10 s", StringComparison.Ordinal), 1);
        (await raw.CountAsync(queue + ".parked")).ShouldBe(1u);
        (await ReadyOrNotAsync(uri, queue)).ShouldBe(0);
        await raw.ShouldHaveLeftNothingBehindAsync(queue);
    }

    /// <summary>A consumer that does not listen to its token, and ends well although the host has given it up.</summary>
    [Fact]
    public async Task What_is_done_after_its_token_was_cancelled_is_done()
    {
        const string queue = "deaf";
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = 0;
        var entered = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3));
                e.Handler<Job>(async job =>
                {
                    Interlocked.Increment(ref runs);
                    entered.TrySetResult(job.CancellationToken);
                    await end.Task;
                });
            }),
            hostOptions: options => options.ConsumerStopTimeout = ConsumerStopTimeout);
        await (await service.Bus.GetSendEndpoint(new Uri("queue:" + queue))).Send(new Job("ends well"));
        var given = await entered.Task.WaitAsync(TimeSpan.FromSeconds(30));

        var stopping = service.StopAsync();
        (await Task.Run(() => given.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)))).ShouldBeTrue();
        end.SetResult();
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));

        runs.ShouldBe(1);
        (await raw.CountAsync("retry.v1.200ms")).ShouldBe(0u);
        (await raw.CountAsync(queue + ".parked")).ShouldBe(0u);
        (await ReadyOrNotAsync(uri, queue)).ShouldBe(0);
        await raw.ShouldHaveLeftNothingBehindAsync(queue);
    }

    private static async Task<RetryService> StartFailingAsync(Uri uri, string queue, StopAfterParking stop)
    {
        var service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
            {
                e.ConfigureConsumeTopology = false;
                e.UseGradientRetry(context, retry => retry.Retries(0));
                e.Handler<Job>(_ => throw new InvalidOperationException("is parked at once"));
            }),
            hostOptions: options => options.ConsumerStopTimeout = ConsumerStopTimeout,
            services: stop.AddTo);
        service.Bus.ConnectReceiveObserver(stop);
        return service;
    }

    // what was not acknowledged is ready again a moment after its channel has closed, which a raw client might be too early for
    private async Task<int> ReadyOrNotAsync(Uri uri, string queue)
    {
        var queues = await node.Broker.ControlAsync("list_queues", "--vhost", VirtualHost(uri), "--silent", "name", "messages");
        var line = queues.Split('\n').Single(line => line.StartsWith(queue + '\t', StringComparison.Ordinal));
        return int.Parse(line[(queue.Length + 1)..], CultureInfo.InvariantCulture);
    }

    // the queue itself counts a cancelled consumer until its last message is settled
    private async Task WaitForCancelAsync(Uri uri)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await node.Broker.ControlAsync(["list_consumers", "--vhost", VirtualHost(uri), "--silent"], deadline.Token)).Contains("gone", StringComparison.Ordinal))
        {
        }
    }

    private static string VirtualHost(Uri uri) => Uri.UnescapeDataString(uri.AbsolutePath[1..]);

    public sealed record Job(string Id);

    /// <summary>Keeps a message between its park and its Fault, where the line about the park is written, until its delivery is cancelled.</summary>
    private sealed class StopAfterParking : IReceiveObserver, ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource _parked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CancellationToken _delivery;

        public LogLines Log { get; } = new();

        public Task Parked => _parked.Task;

        public void AddTo(IServiceCollection services)
        {
            Log.AddTo(services);
            services.AddSingleton<ILoggerProvider>(this);
        }

        public Task PreReceive(ReceiveContext context)
        {
            _delivery = context.CancellationToken;
            return Task.CompletedTask;
        }

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).Contains("is parked as", StringComparison.Ordinal))
            {
                _parked.TrySetResult();
                _delivery.WaitHandle.WaitOne(TimeSpan.FromSeconds(20)).ShouldBeTrue();
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public Task PostReceive(ReceiveContext context) => Task.CompletedTask;

        public Task PostConsume<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
            where T : class => Task.CompletedTask;

        public Task ConsumeFault<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
            where T : class => Task.CompletedTask;

        public Task ReceiveFault(ReceiveContext context, Exception exception) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }

    private sealed class FaultsTakeForEver : IPublishObserver
    {
        public Task PrePublish<T>(PublishContext<T> context)
            where T : class => context.Message is Fault ? Simulate.EndlessWorkAsync(CancellationToken.None) : Task.CompletedTask;

        public Task PostPublish<T>(PublishContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PublishFault<T>(PublishContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
