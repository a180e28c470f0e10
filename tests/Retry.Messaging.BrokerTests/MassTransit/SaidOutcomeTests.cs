using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>On a broker: what a consumer says becomes of its message, as a raw client sees it.</summary>
[Collection(SharedBroker.Name)]
public sealed class SaidOutcomeTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Postponed_twice_in_error_once_and_failed_is_two_attempts_and_one_parked_message_with_the_reasons(bool limited)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Job>());
        List<(int Redeliveries, DateTimeOffset At)> runs = [];
        await using (var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("saying", e =>
        {
            e.SetQuorumQueue();
            e.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromHours(1)).Retries(1);
                if (limited)
                {
                    retry.LimitRedelivery(perSecond: 100);
                }
            });
            e.Handler<Job>(job =>
            {
                lock (runs)
                {
                    runs.Add((job.GetRedeliveryCount(), TimeProvider.System.GetUtcNow()));
                    switch (runs.Count)
                    {
                        case <= 2:
                            job.Postpone(TimeSpan.FromSeconds(1));
                            break;
                        case 3:
                            job.Error("no answer", TimeSpan.FromMilliseconds(200));
                            break;
                        default:
                            job.Fail("declined");
                            break;
                    }
                }

                return Task.CompletedTask;
            });
        })))
        {
            await (await service.Bus.GetSendEndpoint(new Uri("exchange:saying"))).Send(new Job(1));
            await raw.WaitForCountAsync(faults, 1, Deadline);
        }

        runs.Select(run => run.Redeliveries).ShouldBe([0, 0, 0, 1]);
        (runs[1].At - runs[0].At).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
        (runs[2].At - runs[1].At).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
        var parked = (await raw.DrainAsync("saying.parked")).ShouldHaveSingleItem();
        parked.Reason().ShouldBe("Failed");
        parked.Header(RetryHeaderNames.Error).ShouldBe("Retry.Messaging.MassTransit.FailSaidException: declined");
        RetryHistory.Parse(parked.Header(RetryHeaderNames.History)).Attempts.Select(attempt => attempt.Message).ShouldBe(["no answer", "declined"]);
        (await raw.CountAsync(faults)).ShouldBe(1u);
        await raw.ShouldHaveLeftNothingBehindAsync("saying");
    }

    public sealed record Job(int Number);
}
