using System.Diagnostics;
using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A request carries its time-out as expiration: it climbs while somebody waits, and is forgotten when nobody will.</summary>
[Collection(WaitingBroker.Name)]
public sealed class RequestTests(BrokerFixture broker)
{
    private static readonly RequestTimeout Patience = RequestTimeout.After(s: 20);

    [Fact]
    public async Task A_request_climbs_while_its_requester_waits_and_is_dropped_when_the_next_attempt_would_be_too_late()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var attempts = 0;
        await using var service = await RetryService.StartAsync(uri, (context, cfg) =>
        {
            cfg.ReceiveEndpoint("soon", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(300)).Retries(3));
                e.Handler<Question>(question => Interlocked.Increment(ref attempts) < 3 ? throw new InvalidOperationException("not yet") : question.RespondAsync(new Answer(question.GetRedeliveryCount())));
            });
            cfg.ReceiveEndpoint("too-late", e =>
            {
                e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMinutes(1)).Retries(3));
                e.Handler<Question>(_ => throw new InvalidOperationException("asked too late"));
            });
        });

        var answer = await service.Bus.CreateRequestClient<Question>(new Uri("exchange:soon")).GetResponse<Answer>(new Question("?"), timeout: Patience);
        answer.Message.Redeliveries.ShouldBe(2);

        var clock = Stopwatch.StartNew();
        var fault = await Should.ThrowAsync<RequestFaultException>(() => service.Bus.CreateRequestClient<Question>(new Uri("exchange:too-late")).GetResponse<Answer>(new Question("?"), timeout: Patience));
        fault.Message.ShouldContain("asked too late");
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10), "it is answered at once, not by its time-out");

        await service.StopAsync();
        foreach (var queue in (string[])["soon", "too-late"])
        {
            (await raw.CountAsync(queue + ".parked")).ShouldBe(0u);
            await raw.ShouldHaveLeftNothingBehindAsync(queue);
        }

        (await raw.CountAsync("retry.v1.1m")).ShouldBe(0u);
    }

    public sealed record Question(string Text);

    public sealed record Answer(int Redeliveries);
}
