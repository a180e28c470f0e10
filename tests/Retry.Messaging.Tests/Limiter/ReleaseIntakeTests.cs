using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Limiter;

public sealed class ReleaseIntakeTests
{
    [Fact]
    public void What_did_not_get_through_goes_back_to_its_place()
    {
        var intake = new ReleaseIntake(null!, "orders.release", new HoldTime(), new WakeUp(TimeProvider.System), _ => { }, TimeProvider.System);

        foreach (var tag in new ulong[] { 5, 2, 3, 1 })
        {
            intake.PutBack(new LimitedDelivery(tag, new BasicProperties(), default, 0));
        }

        var order = new List<ulong>();
        while (intake.First is { } next)
        {
            order.Add(next.Tag);
            intake.RemoveFirst();
        }

        order.ShouldBe([1ul, 2, 3, 5]);
    }
}
