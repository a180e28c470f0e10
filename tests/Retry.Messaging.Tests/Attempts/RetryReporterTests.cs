using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>What a service says of its failing attempts, before anything is parked.</summary>
public sealed class RetryReporterTests : IDisposable
{
    private readonly LogLines _log = new("Retry.Messaging");

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Each_retry_is_one_line_at_Information_without_a_stack()
    {
        await using var service = await HarnessService.StartAsync(
            x => x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromSeconds(90)).Retries(3)),
            (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<SubmitOrder>(_ => throw new InvalidOperationException("down\r\n   at midnight"))),
            services => services.AddLogging(logging => logging.AddProvider(_log)));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        var retries = _log.Written.Where(line => line.StartsWith("Information: orders: attempt ", StringComparison.Ordinal)).ToList();
        retries.Count.ShouldBe(3);
        retries[0].ShouldStartWith("Information: orders: attempt 1 of ");
        retries[0].ShouldContain(" failed; the next one follows in 1m30s. System.InvalidOperationException: down");
        retries.ShouldAllBe(line => !line.Contains('\n') && !line.Contains('\r'));
        _log.Written.Count(line => line.StartsWith("Warning: orders:", StringComparison.Ordinal) && line.Contains("is parked as Exhausted", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_flood_is_ten_lines_in_ten_seconds_and_a_count_of_the_rest()
    {
        var clock = new FakeTimeProvider();
        var reporter = new RetryReporter("orders", clock, _log);
        for (var window = 1; window <= 2; window++)
        {
            for (var i = 1; i <= 1_000; i++)
            {
                reporter.Retried($"m-{i}", attempt: 1, TimeSpan.FromSeconds(5), $"Shop.DownException: {i}");
            }

            _log.Written.Count.ShouldBe((window * (RetryReporter.LinesInWindow + 1)) - 1);
            await EndWindowAsync(clock);
            _log.Written.Last().ShouldBe("Information: orders: failed attempts of the last 10s without a line of their own: 990. Each has its next attempt. The last error: Shop.DownException: 1000");
        }
    }

    [Fact]
    public async Task A_window_that_left_nothing_out_ends_in_silence()
    {
        var clock = new FakeTimeProvider();
        var reporter = new RetryReporter("orders", clock, _log);
        reporter.Retried("m-1", attempt: 1, TimeSpan.FromSeconds(5), "Shop.DownException: 1");

        await EndWindowAsync(clock);

        _log.Written.ShouldHaveSingleItem();
    }

    // what follows the wait runs on the thread that ends it
    private static Task EndWindowAsync(FakeTimeProvider clock) => Task.Run(() => clock.Advance(RetryReporter.Window));
}
