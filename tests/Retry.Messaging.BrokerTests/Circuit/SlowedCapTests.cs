using System.Collections.Concurrent;
using System.Net;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Http;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>A target that answers 429 is called less often by all instances, whichever of them it answered so.</summary>
[Collection(OperatorBroker.Name)]
public sealed class SlowedCapTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const double PerSecond = 40;
    private const int Burst = 2;
    // in the middle: a limiter that has only just begun to release hears what comes from then on
    private const int FirstRefused = 100;
    private const int Refused = 5;
    private const int Messages = 300;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_429_the_cap_of_the_whole_cluster_is_half_of_what_it_was(bool onDeliveries)
    {
        var address = await broker.CreateVirtualHostAsync();
        var starts = new ConcurrentQueue<DateTimeOffset>();
        using var log = new LogLines();
        await using var one = await StartAsync(address, onDeliveries, starts, log);
        await using var two = await StartAsync(address, onDeliveries, starts, log);
        for (var number = 0; number < Messages; number++)
        {
            await one.Bus.Publish(new Charge(number));
        }

        await Eventually.TrueAsync(() => log.Lines.Any(line => line.Contains("is halved to 20/s")), Deadline, () => string.Join('\n', log.Lines));
        var slowed = DateTimeOffset.UtcNow + TimeSpan.FromSeconds(1);
        await Eventually.TrueAsync(() => starts.Any(start => start > slowed + Watched), Deadline);

        var begun = starts.Count(start => start >= slowed && start < slowed + Watched);
        output.WriteLine($"{begun} starts in {Watched.TotalSeconds} s, {PerSecond}/s before");
        begun.ShouldBeLessThan((int)(0.7 * PerSecond * Watched.TotalSeconds));
        log.Lines.Count(line => line.Contains("is halved")).ShouldBe(1, "it is said by the one who holds the cap, and once");
    }

    // with a cap on redeliveries all fail once, and what is refused is a second attempt: the cap is on what is counted here either way
    private static Task<RetryService> StartAsync(Uri address, bool onDeliveries, ConcurrentQueue<DateTimeOffset> starts, LogLines log) =>
        RetryService.StartAsync(
            address,
            (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
            {
                endpoint.PrefetchCount = 16;
                endpoint.UseGradientRetry(context, retry =>
                {
                    retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3);
                    if (onDeliveries)
                    {
                        retry.LimitDelivery(PerSecond, Burst);
                    }
                    else
                    {
                        retry.LimitRedelivery(PerSecond, Burst);
                    }
                });
                endpoint.Handler<Charge>(charge =>
                {
                    var attempt = charge.GetRetryChain().Attempt + (onDeliveries ? 1 : 0);
                    if (attempt == 1)
                    {
                        throw new InvalidOperationException("not yet");
                    }

                    starts.Enqueue(DateTimeOffset.UtcNow);
                    return charge.Message.Number is >= FirstRefused and < FirstRefused + Refused && attempt == 2
                        ? throw new HttpFailureException("the quota is used up", HttpStatusCode.TooManyRequests)
                        : Task.CompletedTask;
                });
            }),
            services: log.AddTo);

    public sealed record Charge(int Number);
}
