using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

/// <summary>What becomes of a limiter whose session fails: a clock, and no broker.</summary>
public sealed class RedeliveryLimiterTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_session_that_cannot_start_leaves_no_connection_behind()
    {
        var broker = QueueBroker.Create();
        var clock = new WaitedClock();
        var options = new LimiterOptions { Names = RetryPointNames.For("orders"), ConnectAsync = (_, _) => Task.FromResult(broker.Connection) };
        using var stop = new CancellationTokenSource();
        var limiter = new RedeliveryLimiter(options, clock, new Random(1), NullLogger.Instance);

        var run = limiter.RunAsync(stop.Token);
        await clock.AskedAsync(Deadline);

        broker.IsClosed.ShouldBeTrue();
        limiter.Status.Activity.ShouldBe(LimiterActivity.Down);
        limiter.Status.Reason.ShouldNotBeNull().ShouldStartWith("There is no queue 'orders.release'.");
        await stop.CancelAsync();
        await run.WaitAsync(Deadline);
    }
}
