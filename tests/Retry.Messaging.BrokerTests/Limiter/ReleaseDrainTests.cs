using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>What a limit leaves behind, emptied by whoever serves the point without one.</summary>
[Collection(OperatorBroker.Name)]
public sealed class ReleaseDrainTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_instance_that_was_there_before_the_release_queue_empties_it()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await raw.DeclareQueueAsync("jobs");
        var looked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new FastClock(4)
        {
            Longest = TimeSpan.FromSeconds(2),
            Waiting = pause =>
            {
                if (pause > TimeSpan.FromMinutes(30))
                {
                    looked.TrySetResult();
                }
            },
        };
        var options = new LimiterOptions
        {
            Names = RetryPointNames.For("jobs"),
            ConnectAsync = (prepare, cancellation) =>
            {
                var factory = new ConnectionFactory { Uri = address };
                prepare(factory);
                return factory.CreateConnectionAsync("drain", cancellation);
            },
        };
        using var stop = new CancellationTokenSource();
        var drain = new ReleaseDrain(options, clock, Random.Shared, NullLogger.Instance).RunAsync(raw.Connection, stop.Token);
        await looked.Task.WaitAsync(Deadline);

        // another instance has the limit for a while, and is gone again
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(options.Names, withRelease: true)));
        var route = DelayLadder.Route(TimeSpan.Zero, "jobs.release");
        await raw.PublishManyAsync(route.Exchange, route.RoutingKey, Enumerable.Range(0, 20).Select(i => (Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)), new BasicProperties())));

        await raw.WaitForCountAsync("jobs.release", 0, Deadline);
        await stop.CancelAsync();
        await drain.WaitAsync(Deadline);
        (await raw.DrainAsync("jobs")).Select(message => Encoding.UTF8.GetString(message.Body.Span)).Distinct().Count().ShouldBe(20);
    }
}
