using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The first moments of a service, whose messages fail before its topology is known to be there.</summary>
[Collection(SharedBroker.Name)]
public sealed class StartUpTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly byte[] Body = Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<Early>()}}"],"message":{"number":1} }""");

    [Fact]
    public async Task What_fails_before_its_point_is_bound_is_not_lost()
    {
        const int each = 50;
        string[] queues = [.. Enumerable.Range(1, 8).Select(number => $"early-{number}")];
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        // the ladder is there, as on every broker but on the first day; the points are not
        await using (await StartAsync(uri, "another"))
        {
        }

        foreach (var queue in queues)
        {
            await raw.DeclareQueueAsync(queue);
            await raw.PublishManyAsync(string.Empty, queue, Enumerable.Range(0, each).Select(_ => (Body, new BasicProperties { ContentType = "application/vnd.masstransit+json", Persistent = true })));
        }

        await using var service = await StartAsync(uri, queues);

        foreach (var queue in queues)
        {
            await raw.WaitForCountAsync(BrokerNames.ParkedQueue(queue), each, Deadline);
        }

        (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_user_who_may_not_declare_holds_what_fails_until_somebody_who_may_has()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        using var management = new RawManagement(broker.Broker, uri);
        var user = "limited-" + Guid.NewGuid().ToString("N");
        await management.SetUserAsync(user, "pass", mayConfigure: @"^(?!retry\.)(?!.*\.parked$).*$");
        try
        {
            var log = new LogLines();
            await using var service = await StartAsync(new UriBuilder(uri) { UserName = user, Password = "pass" }.Uri, log, "forbidden");
            await raw.PublishAsync(string.Empty, "forbidden", Body, new BasicProperties { ContentType = "application/vnd.masstransit+json" });
            await log.WaitForLineAsync(Deadline);

            log.Lines.ShouldContain(line => line.Contains("the retry topology is not complete", StringComparison.OrdinalIgnoreCase));
            (await raw.CountAsync(BrokerNames.ParkedQueue("forbidden"))).ShouldBeNull();

            await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For("forbidden"), withRelease: false)));
            await raw.WaitForCountAsync(BrokerNames.ParkedQueue("forbidden"), 1, Deadline);
            (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        }
        finally
        {
            await management.DeleteUserAsync(user);
        }
    }

    private static Task<RetryService> StartAsync(Uri uri, params string[] queues) => StartAsync(uri, new LogLines(), queues);

    private static Task<RetryService> StartAsync(Uri uri, LogLines log, params string[] queues) => RetryService.StartAsync(
        uri,
        (context, cfg) =>
        {
            foreach (var queue in queues)
            {
                cfg.ReceiveEndpoint(queue, e =>
                {
                    e.SetQuorumQueue();
                    e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(0));
                    e.Handler<Early>(_ => throw new InvalidOperationException("at once"));
                });
            }
        },
        services: log.AddTo);

    public sealed record Early(int Number);
}
