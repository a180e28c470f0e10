using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>To endpoints of each type of exchange, and on several buses.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class ExchangeTypeTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(700);

    [Theory]
    [InlineData(ExchangeType.Direct)]
    [InlineData(ExchangeType.Fanout)]
    [InlineData(ExchangeType.Headers)]
    [InlineData(ExchangeType.Topic)]
    public async Task A_message_comes_back_to_an_endpoint_of_any_type_of_exchange(string exchangeType)
    {
        var second = new Arrived<Second>();
        DateTime? due = null;
        await using var service = await ScheduledService.StartAsync(await broker.CreateVirtualHostAsync(), (_, cfg) => cfg.ReceiveEndpoint("orders", e =>
        {
            e.ExchangeType = exchangeType;
            e.Handler<First>(async context =>
            {
                due = DateTime.UtcNow + Delay;
                await context.ScheduleSend(Delay, new Second());
            });
            e.Handler<Second>(second.Note);
        }));

        await (await service.Bus.GetSendEndpoint(new Uri($"exchange:orders?type={exchangeType}"))).Send(new First());

        (await second.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due!.Value);
    }

    [Fact]
    public async Task Each_of_several_buses_schedules_by_itself()
    {
        var (one, two) = (await broker.CreateVirtualHostAsync(), await broker.CreateVirtualHostAsync());
        var (first, second) = (new Arrived<First>(), new Arrived<First>());
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = true);
        builder.Services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientScheduler();
            x.UsingRabbitMq((_, cfg) =>
            {
                cfg.Host(one);
                cfg.ReceiveEndpoint("orders", e => e.Handler<First>(first.Note));
            });
        });
        builder.Services.AddMassTransit<ISecondBus>(x =>
        {
            x.AddGradientScheduler();
            x.AddRecurring("each-second", "* * * * * *", new Second(), r => r.Destination = new Uri("queue:seconds"));
            x.UsingRabbitMq((_, cfg) =>
            {
                cfg.Host(two);
                cfg.ReceiveEndpoint("orders", e => e.Handler<First>(second.Note));
            });
        });
        using var host = builder.Build();
        await host.StartAsync();
        await using var scope = host.Services.CreateAsyncScope();
        var due = DateTime.UtcNow + Delay;

        await scope.ServiceProvider.GetRequiredService<IMessageScheduler>().SchedulePublish(due, new First());
        await scope.ServiceProvider.GetRequiredService<global::MassTransit.DependencyInjection.Bind<ISecondBus, IMessageScheduler>>().Value.SchedulePublish(due, new First());

        (await first.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due);
        (await second.OneAsync()).At.ShouldBeGreaterThanOrEqualTo(due);
        await Never.TrueAsync(() => first.Count > 1 || second.Count > 1, TimeSpan.FromMilliseconds(500));
        await using var raw = await Observing.RawClient.ConnectAsync(two);
        await Eventually.TrueAsync(async () => await raw.CountAsync("seconds") >= 2, Deadline);
        await host.StopAsync();
    }

    public interface ISecondBus : IBus;

    public sealed record First;

    public sealed record Second;
}
