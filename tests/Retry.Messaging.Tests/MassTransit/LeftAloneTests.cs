using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What is not retried through the ladder is left as MassTransit makes it, and the service says so at its start.</summary>
public class LeftAloneTests
{
    [Fact]
    public async Task A_temporary_endpoint_is_named_with_the_reason()
    {
        var log = new LogLines("Retry.Messaging.MassTransit.Configuration");
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(log));
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientRetry();
            x.UsingRabbitMq((_, cfg) =>
            {
                cfg.ReceiveEndpoint(new TemporaryEndpointDefinition(), e => e.Handler<SubmitOrder>(_ => Task.CompletedTask));
                cfg.ReceiveEndpoint("lasting", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask));
            });
        });
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        provider.GetRequiredService<IBusControl>().ShouldNotBeNull();

        var line = log.Written.ShouldHaveSingleItem();
        line.ShouldContain("left as MassTransit makes it");
        line.ShouldContain("wanted a durable queue that outlives its consumers, found a transient one");
    }

    [Fact]
    public async Task A_compensation_is_named()
    {
        var log = new LogLines("Retry.Messaging.MassTransit.Configuration");
        await using var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(8));
                x.AddActivity<Booking, SubmitOrder, OrderSubmitted>();
            },
            null,
            services => services.AddLogging(logging => logging.AddProvider(log)));

        log.Written.ShouldHaveSingleItem().ShouldContain("the compensation of Retry.Messaging.Tests.MassTransit.LeftAloneTests+Booking is not retried");
    }

    public sealed class Booking : IActivity<SubmitOrder, OrderSubmitted>
    {
        public Task<ExecutionResult> Execute(ExecuteContext<SubmitOrder> context) => Task.FromResult(context.Completed());

        public Task<CompensationResult> Compensate(CompensateContext<OrderSubmitted> context) => throw new InvalidOperationException("cannot be undone");
    }
}
