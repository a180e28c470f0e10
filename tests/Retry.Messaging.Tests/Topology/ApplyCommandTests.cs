using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public sealed class ApplyCommandTests
{
    [Fact]
    public void Names_each_point_once_and_those_with_a_release_queue_as_isolated()
    {
        var orders = RetryPointNames.For("orders");
        var mails = RetryPointNames.For("all mails");
        ApplyCommand.For(
        [
            new(TopologyPlan.Point(orders, withRelease: true), orders.Work),
            new(TopologyPlan.Point(mails, withRelease: false), mails.Work),
        ]).ShouldBe("retryctl topology apply --point \"all mails\" --isolated orders");
        ApplyCommand.For(["orders"], ["orders"]).ShouldBe("retryctl topology apply --isolated orders");
        ApplyCommand.For([]).ShouldBe("retryctl topology apply");
    }
}
