using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What a service says at its start about settings that are no error.</summary>
public class SettingsLogTests
{
    [Theory]
    [InlineData("paymets", "Warning: Ignored GradientRetry:Endpoints:paymets, because no endpoint has that name. Did you mean 'payments'?")]
    [InlineData("shipping", "Information: Ignored GradientRetry:Endpoints:shipping, because this process has no endpoint of that name. It has: orders, payments")]
    public async Task An_endpoint_that_is_not_there_is_told_of_once(string name, string line)
    {
        var lines = await StartAsync($"{name}:Retries", "3");

        lines.ShouldHaveSingleItem().ShouldBe(line);
    }

    [Fact]
    public async Task A_delay_that_outlasts_the_message_is_warned_of()
    {
        var lines = await StartAsync("payments:Delay", "8d");

        lines.ShouldHaveSingleItem().ShouldStartWith("Warning: payments:ValidFor: found 7d, wanted at least");
    }

    [Theory]
    [InlineData("payments")]
    [InlineData("ORDERS")]
    public async Task One_that_is_there_is_not_told_of(string name) => (await StartAsync($"{name}:Retries", "3")).ShouldBeEmpty();

    private static async Task<IReadOnlyCollection<string>> StartAsync(string key, string value)
    {
        var log = new LogLines("Retry.Messaging.MassTransit.Configuration");
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("GradientRetry:Defaults:Policy", "Fixed"), new("GradientRetry:Defaults:Delay", "5s"), new($"GradientRetry:Endpoints:{key}", value)]).Build());
        services.AddLogging(logging => logging.AddProvider(log));
        services.AddMassTransit(x =>
        {
            x.DisableUsageTelemetry();
            x.AddGradientRetry();
            x.UsingInMemory((_, cfg) =>
            {
                cfg.ReceiveEndpoint("payments", e => e.Handler<SubmitOrder>(_ => Task.CompletedTask));
                cfg.ReceiveEndpoint("orders", e => e.DisableGradientRetry());
            });
        });
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        var bus = provider.GetRequiredService<IBusControl>();
        await bus.StartAsync(TimeSpan.FromSeconds(30));
        await bus.StopAsync(TimeSpan.FromSeconds(30));
        return log.Written;
    }
}
