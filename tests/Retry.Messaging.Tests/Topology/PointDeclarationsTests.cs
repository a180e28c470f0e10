using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

/// <summary>Endpoint, limiter and publisher of a point share one declaration for each connection.</summary>
public sealed class PointDeclarationsTests
{
    private static readonly TopologyPlan Point = TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false);

    private readonly PointDeclarations _declarations = new();

    [Fact]
    public async Task A_declaration_that_ran_into_a_time_out_is_tried_again()
    {
        var broker = SilentBroker.Create();
        broker.Declaring = static () => Task.FromCanceled(new CancellationToken(canceled: true));
        var plan = TopologyPlan.WayBack with { Queues = [], Bindings = [] };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _declarations.DeclareAsync(broker.Connection, plan, CancellationToken.None));

        broker.Declaring = static () => Task.CompletedTask;
        (await _declarations.DeclareAsync(broker.Connection, plan, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_point_is_declared_once_on_a_connection_until_it_is_forgotten()
    {
        var broker = TopologyBroker.Create();

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _declarations.DeclareAsync(broker.Connection, Point, CancellationToken.None)));
        var once = broker.Declared.Count;
        once.ShouldBe(Point.Queues.Count + Point.Exchanges.Count);

        _declarations.Forget(broker.Connection, Point);
        await _declarations.DeclareAsync(broker.Connection, Point, CancellationToken.None);
        broker.Declared.Count.ShouldBe(2 * once);
    }

    [Fact]
    public async Task A_new_connection_declares_anew()
    {
        var first = TopologyBroker.Create();
        var second = TopologyBroker.Create();

        await _declarations.DeclareAsync(first.Connection, Point, CancellationToken.None);
        await _declarations.DeclareAsync(second.Connection, Point, CancellationToken.None);

        second.Declared.ShouldBe(first.Declared);
    }
}
