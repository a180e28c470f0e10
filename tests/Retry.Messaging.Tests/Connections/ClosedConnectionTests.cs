using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Endpoints;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Fakes;
using Retry.Messaging.Tests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Connections;

/// <summary>A service that stops closes its connection while this and that is at work on it. A deployment writes no warnings for it.</summary>
public sealed class ClosedConnectionTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly SilentBroker _broker = SilentBroker.Create();
    private readonly LogLines _log = new(string.Empty);

    public ClosedConnectionTests() => _broker.ClosesOnUse = true;

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Who_looks_after_what_is_lost_says_nothing()
    {
        var clock = new WaitedClock();
        var mover = new LostMover(TimeSpan.FromHours(1), binds: true, new LostRounds(), clock, new Random(1), _log);

        mover.Start(_broker.Connection, _ => throw new NotSupportedException());
        await clock.NextAsync(Deadline);
        await clock.NextAsync(Deadline);

        _broker.Connection.IsOpen.ShouldBeFalse();
        _log.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_instance_that_begins_says_nothing()
    {
        await new InstanceWatch(new(DateTimeOffset.UnixEpoch, "1.0.0", "none", ".NET", null), TimeProvider.System, _log).BeginAsync(_broker.Connection, new ServedPoint("orders"), CancellationToken.None).WaitAsync(Deadline);

        _broker.Connection.IsOpen.ShouldBeFalse();
        _log.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_asks_the_management_API_says_nothing()
    {
        var clock = new WaitedClock();

        new TimeoutWatch(clock, _log).Start(_broker.Connection, () =>
        {
            _broker.Close();
            throw new ManagementException("Found no answer.", ManagementProblem.Missing);
        });
        await clock.NextAsync(Deadline);
        await clock.NextAsync(Deadline);

        _log.Written.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_point_that_is_declared_says_nothing()
    {
        var point = new RabbitMqPoint(RetryPointNames.For("orders"), withRelease: false);
        var clock = new FakeTimeProvider();
        var connection = EndpointTimeoutsTests.Fake.Of<ConnectionContext>();
        connection.Answers["get_Connection"] = _broker.Connection;
        var context = EndpointTimeoutsTests.Fake.Of<ChannelContext>();
        context.Answers["get_ConnectionContext"] = connection;
        context.Answers["get_CancellationToken"] = CancellationToken.None;
        var keeper = new TopologyKeeper(TopologyManagement.OnStart, new TopologyRounds(), clock, new Random(1), _log);
        var topology = new PointTopology(point, keeper, (_, _) => Task.CompletedTask, TopologyManagement.OnStart, RetryRules.Default, new PointHealth("orders", clock), new UnseenByAmqp(TopologyManagement.OnStart, _log), new Dictionary<string, object>(), _log);

        await topology.Send((ChannelContext)(object)context, Pipe.Empty<ChannelContext>());
        await topology.Ready(null!).WaitAsync(Deadline);

        _broker.Connection.IsOpen.ShouldBeFalse();
        _log.Written.ShouldBeEmpty();
    }
}
