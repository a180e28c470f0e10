using System.Collections.Concurrent;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>Graded retry comes to queues that are there already, and that others declared.</summary>
[Collection(SharedBroker.Name)]
public sealed class ExistingEstateTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private static readonly string[] Durable = ["eu.Orders", "Invoice", "Shipment", "by-hand"];

    /// <summary>Two classic and two quorum queues, one of them by ReceiveEndpoint; a response endpoint; and the bus's own.</summary>
    [Fact]
    public async Task Three_instances_with_one_more_line_retry_on_every_durable_endpoint_of_a_plain_estate()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var management = new RawManagement(broker.Broker, address);
        await using (await StartAsync(address, new Outcomes(), withRetry: false))
        {
            // plain MassTransit made the queues
        }

        var before = await QueuesAsync(management);
        before.Keys.Where(Durable.Contains).Count().ShouldBe(4);
        before["eu.Orders"].ShouldContain("quorum");
        before["Invoice"].ShouldNotContain("quorum");

        var outcomes = new Outcomes();
        var services = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync(address, outcomes, withRetry: true)));
        try
        {
            foreach (var service in services)
            {
                (await service.HealthAsync()).ShouldBe(BusHealthStatus.Healthy);
            }

            const int Each = 20;
            for (var i = 0; i < Each; i++)
            {
                await services[0].Bus.Publish(new Order($"{i}"));
                await services[0].Bus.Publish(new Invoice($"{i}"));
                await services[1].Bus.Publish(new Shipment($"{i}"));
                await services[2].Bus.Publish(new ByHand($"{i}"));
            }

            await outcomes.WaitForAsync(4 * Each, Deadline);
            foreach (var (key, runs) in outcomes.Runs)
            {
                runs.ShouldBe(2, $"{key}: fails once, then succeeds");
            }

            // a request and its answer go by the bus's own endpoint and a temporary one, as ever
            var client = services[0].Bus.CreateRequestClient<Question>(new Uri("exchange:by-hand"));
            (await client.GetResponse<Answer>(new Question("?"), timeout: RequestTimeout.After(s: 30))).Message.Text.ShouldBe("!");

            var after = await QueuesAsync(management);
            foreach (var queue in Durable)
            {
                after[queue].ShouldBe(before[queue], $"the arguments of '{queue}' are untouched");
                after.ShouldContainKey(queue + ".parked");
            }

            after.Keys.Where(queue => queue.EndsWith(".parked", StringComparison.Ordinal)).Order().ShouldBe(Durable.Select(queue => queue + ".parked").Order());
            after.Keys.ShouldNotContain(queue => queue.EndsWith("_error", StringComparison.Ordinal) || queue.EndsWith("_skipped", StringComparison.Ordinal));

            // what may be missing is said by each service in one line, with the command that mends it for all its queues
            var unseen = outcomes.Log.Where(line => line.Contains("AMQP does not show", StringComparison.Ordinal)).ToList();
            unseen.Count.ShouldBe(services.Length);
            unseen.ShouldAllBe(line => line.EndsWith(ApplyCommand.For(Durable, null), StringComparison.Ordinal));
            var verify = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "topology verify");
            verify.Output.ShouldContain("4 findings.");
            var apply = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "topology apply --point " + string.Join(' ', Durable));
            apply.ExitCode.ShouldBe(ExitCode.Done, apply.Output + apply.Error);
            var clean = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "topology verify");
            clean.ExitCode.ShouldBe(ExitCode.Done, clean.Output);
        }
        finally
        {
            foreach (var service in services)
            {
                await service.DisposeAsync();
            }
        }
    }

    /// <summary>Arguments and policies of other people's making neither stop the bus nor are changed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Queues_with_other_arguments_or_policies_start_at_once_and_retry(bool quorum)
    {
        var address = await broker.CreateVirtualHostAsync();
        using var management = new RawManagement(broker.Broker, address);
        await management.SetPolicyAsync("house", "^eu", new Dictionary<string, object> { ["dead-letter-exchange"] = "house.dead", ["max-length"] = 100_000 });
        var outcomes = new Outcomes();
        void Configure(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator cfg) => cfg.ReceiveEndpoint("eu.Orders", e =>
        {
            if (quorum)
            {
                e.SetQuorumQueue();
                e.SetQueueArgument("x-delivery-limit", 7);
                e.SetQueueArgument("x-max-length", 100_000);
            }
            else
            {
                e.SetQueueArgument("x-max-priority", 5);
                e.SetQueueArgument("x-message-ttl", 3_600_000);
            }

            e.Handler<Order>(order => outcomes.RunAsync(order, order.Message.Id));
        });

        await using (await RetryService.StartAsync(address, Configure, register: static _ => { }))
        {
        }

        await using var service = await RetryService.StartAsync(address, Configure, register: x => x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(3)), services: outcomes.LogTo);
        (await service.HealthAsync()).ShouldBe(BusHealthStatus.Healthy);
        await service.Bus.Publish(new Order("1"));
        await outcomes.WaitForAsync(1, Deadline);
        outcomes.Runs.Values.ShouldBe([2]);

        var apply = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "topology apply --point eu.Orders");
        apply.ExitCode.ShouldBe(ExitCode.Finding);
        apply.Output.ShouldContain("Policy 'house' applies to queue 'eu.Orders' already");
        apply.Output.ShouldContain("replaces dead-letter-exchange 'house.dead'");
        (await management.GetAsync("policies/VHOST")).ShouldNotContain("retry.parking:");
    }

    private static Task<RetryService> StartAsync(Uri address, Outcomes outcomes, bool withRetry) => RetryService.StartAsync(
        address,
        (context, cfg) =>
        {
            cfg.ReceiveEndpoint("by-hand", e =>
            {
                e.SetQuorumQueue();
                e.Handler<ByHand>(message => outcomes.RunAsync(message, message.Message.Id));
                e.Handler<Question>(question => question.RespondAsync(new Answer("!")));
            });
            // temporary: not a retry point
            cfg.ReceiveEndpoint(new TemporaryEndpointDefinition(), e => e.Handler<Answer>(_ => Task.CompletedTask));
            cfg.ConfigureEndpoints(context);
        },
        x =>
        {
            x.AddSingleton(outcomes);
            x.AddConsumer<OrderConsumer>().Endpoint(e => e.Name = "eu.Orders");
            x.AddConsumer<InvoiceConsumer>();
            x.AddConsumer<ShipmentConsumer>();
            x.AddConfigureEndpointsCallback((name, e) =>
            {
                if (name == "eu.Orders" && e is IRabbitMqReceiveEndpointConfigurator rabbit)
                {
                    rabbit.SetQuorumQueue();
                }
            });
            if (withRetry)
            {
                x.AddGradientRetry();
            }
        },
        services: outcomes.LogTo);

    private static async Task<Dictionary<string, string>> QueuesAsync(RawManagement management)
    {
        using var queues = JsonDocument.Parse(await management.GetAsync("queues/VHOST?columns=name,arguments"));
        return queues.RootElement.EnumerateArray().ToDictionary(queue => queue.GetProperty("name").GetString()!, queue => queue.GetProperty("arguments").GetRawText());
    }

    public sealed record Order(string Id);

    public sealed record Invoice(string Id);

    public sealed record Shipment(string Id);

    public sealed record ByHand(string Id);

    public sealed record Question(string Text);

    public sealed record Answer(string Text);

    public sealed class OrderConsumer(Outcomes outcomes) : IConsumer<Order>
    {
        public Task Consume(ConsumeContext<Order> context) => outcomes.RunAsync(context, context.Message.Id);
    }

    public sealed class InvoiceConsumer(Outcomes outcomes) : IConsumer<Invoice>
    {
        public Task Consume(ConsumeContext<Invoice> context) => outcomes.RunAsync(context, context.Message.Id);
    }

    public sealed class ShipmentConsumer(Outcomes outcomes) : IConsumer<Shipment>
    {
        public Task Consume(ConsumeContext<Shipment> context) => outcomes.RunAsync(context, context.Message.Id);
    }

    /// <summary>What ran how often, and what was logged.</summary>
    public sealed class Outcomes : ILoggerProvider, ILogger
    {
        private int _done;

        public ConcurrentDictionary<string, int> Runs { get; } = new();

        public ConcurrentQueue<string> Log { get; } = new();

        /// <summary>Fails at the first attempt, succeeds at the second.</summary>
        public Task RunAsync<T>(ConsumeContext<T> context, string id)
            where T : class
        {
            if (Runs.AddOrUpdate($"{typeof(T).Name} {id}", 1, static (_, runs) => runs + 1) == 1)
            {
                throw new InvalidOperationException("not yet");
            }

            Interlocked.Increment(ref _done);
            return Task.CompletedTask;
        }

        public Task WaitForAsync(int done, TimeSpan deadline) => Eventually.TrueAsync(() => Volatile.Read(ref _done) >= done, deadline, () => $"{_done} of {done} done");

        public void LogTo(IServiceCollection services) => services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(this));

        public ILogger CreateLogger(string categoryName) => this;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Log.Enqueue(formatter(state, exception));

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
