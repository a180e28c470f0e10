using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>Settings for an endpoint that is not there.</summary>
public class UnknownEndpointsTests
{
    [Theory]
    [InlineData("paymets", "Warning: GradientRetry:Endpoints:paymets is passed over: no endpoint has that name. Did you mean 'payments'?")]
    [InlineData("shipping", "Information: GradientRetry:Endpoints:shipping is passed over: no endpoint of this process has that name. It has: orders, payments")]
    public async Task Are_told_of_once_at_start(string name, string line)
    {
        var lines = await StartAsync(name);

        lines.ShouldHaveSingleItem().ShouldBe(line);
    }

    [Theory]
    [InlineData("payments")]
    [InlineData("ORDERS")]
    public async Task One_that_is_there_is_not_told_of(string name) => (await StartAsync(name)).ShouldBeEmpty();

    private static async Task<IReadOnlyCollection<string>> StartAsync(string name)
    {
        var log = new Lines();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new($"GradientRetry:Endpoints:{name}:Retries", "3")]).Build());
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

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly List<string> _written = [];

        public IReadOnlyCollection<string> Written => _written;

        public ILogger CreateLogger(string categoryName) => categoryName.EndsWith("UnknownEndpoints", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _written.Add($"{logLevel}: {formatter(state, exception)}");

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
