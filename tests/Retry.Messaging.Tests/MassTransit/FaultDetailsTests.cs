using System.Text;
using MassTransit;
using Retry.Messaging.MassTransit.Faults;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class FaultDetailsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Other_tools_find_what_MassTransit_would_have_written()
    {
        var headers = Headers(Thrown(() => throw new AggregateException(new FormatException("bad"))), redeliveries: 2);

        headers[MessageHeaders.Reason].ShouldBe("fault");
        headers[MessageHeaders.FaultExceptionType].ShouldBe("System.FormatException");
        headers[MessageHeaders.FaultMessage].ShouldBe("bad");
        headers[MessageHeaders.FaultTimestamp].ShouldBe("2026-11-01T12:00:00.0000000Z");
        headers[MessageHeaders.FaultInputAddress].ShouldBe("loopback://localhost/orders");
        headers[MessageHeaders.FaultConsumerType].ShouldBe("OrderConsumer");
        headers[MessageHeaders.FaultMessageType].ShouldBe("System.String");
        headers[MessageHeaders.FaultRedeliveryCount].ShouldBe(2);
        Headers(new FormatException(), redeliveries: 0).ShouldNotContainKey(MessageHeaders.FaultRedeliveryCount);
    }

    [Fact]
    public void A_megabyte_of_message_and_a_deep_stack_stay_bounded()
    {
        var headers = Headers(Thrown(() => Deep(500)), redeliveries: 8);

        headers.Values.OfType<string>().Sum(Encoding.UTF8.GetByteCount).ShouldBeLessThan(32 * 1024);
        ((string)headers[MessageHeaders.FaultMessage]!).Length.ShouldBe(1024);
        ((string)headers[MessageHeaders.FaultStackTrace]!).Length.ShouldBe(8 * 1024);
    }

    [Fact]
    public void A_message_that_throws_is_said_so() => Headers(new Silent(), 0)[MessageHeaders.FaultMessage].ShouldBe("(its Message threw)");

    private static Dictionary<string, object?> Headers(Exception exception, int redeliveries) =>
        new MassTransitFault(exception, "OrderConsumer", typeof(string), new Uri("loopback://localhost/orders")).Headers(Now, redeliveries).ToDictionary();

    private static Exception Thrown(Action action) => Should.Throw<Exception>(action);

    private static int Deep(int depth) => depth == 0 ? throw new FormatException(new string('注', 1 << 20)) : Deep(depth - 1) + 1;

    private sealed class Silent : Exception
    {
        public override string Message => throw new InvalidOperationException();
    }
}
