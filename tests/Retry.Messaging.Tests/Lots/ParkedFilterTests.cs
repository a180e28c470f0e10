using RabbitMQ.Client;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

public sealed class ParkedFilterTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 6, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, ParkedFilter, bool> Cases() => new()
    {
        { "all", ParkedFilter.All, true },
        { "its id", ParkedFilter.OfIds("a", "x"), true },
        { "another id", ParkedFilter.OfIds("a"), false },
        { "no id at all", ParkedFilter.OfIds(), false },
        { "its reason", ParkedFilter.All with { Reason = ParkReason.Exhausted }, true },
        { "another reason", ParkedFilter.All with { Reason = ParkReason.Failed }, false },
        { "part of the exception", ParkedFilter.All with { ExceptionType = "gateway" }, true },
        { "the type of the error as it is shown", ParkedFilter.All with { ExceptionType = "checkoutexception" }, true },
        { "an exception between the two", ParkedFilter.All with { ExceptionType = "System.TimeoutException" }, true },
        { "another exception", ParkedFilter.All with { ExceptionType = "NullReference" }, false },
        { "a word of the error that is no type", ParkedFilter.All with { ExceptionType = "503" }, false },
        { "part of the type", ParkedFilter.All with { MessageType = "CHARGE" }, true },
        { "another type", ParkedFilter.All with { MessageType = "Refund" }, false },
        { "text of the error", ParkedFilter.All with { Text = "503" }, true },
        { "other text", ParkedFilter.All with { Text = "504" }, false },
        { "its tenant", WithHeader("tenant", "acme"), true },
        { "another tenant", WithHeader("tenant", "Acme"), false },
        { "no such header", WithHeader("region", "eu"), false },
        { "a number in a header", WithHeader("size", "7"), true },
        { "since then", ParkedFilter.All with { Since = At }, true },
        { "since later", ParkedFilter.All with { Since = At.AddTicks(1) }, false },
        { "until then", ParkedFilter.All with { Until = At }, false },
        { "until later", ParkedFilter.All with { Until = At.AddTicks(1) }, true },
        { "its tenant as the point names it", ParkedFilter.All with { Tenant = "globex" }, true },
        { "the value of a header that names no tenant", ParkedFilter.All with { Tenant = "acme" }, false },
        { "its attempts", ParkedFilter.All with { AttemptsFrom = 1, AttemptsTo = 1 }, true },
        { "more attempts", ParkedFilter.All with { AttemptsFrom = 2 }, false },
        { "fewer attempts", ParkedFilter.All with { AttemptsTo = 0 }, false },
        { "one more condition", ParkedFilter.All with { Also = message => message.Id == "x" }, true },
        { "one more condition that does not hold", ParkedFilter.All with { Also = message => message.Id == "y" }, false },
        { "one of two conditions", ParkedFilter.All with { Text = "503", MessageType = "Refund" }, false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Selects(string what, ParkedFilter filter, bool selected)
    {
        var headers = new Dictionary<string, object?> { ["tenant"] = "acme"u8.ToArray(), ["retry-tenant"] = "globex"u8.ToArray(), ["size"] = 7, ["MT-Fault-ExceptionType"] = "Shop.GatewayException", ["MT-Fault-MessageType"] = "Shop.Charge", ["MT-Fault-Timestamp"] = At.ToString("O") };
        RetryHeaderWriter.Write(headers, new RetryState { Id = "x", Attempt = 2, Error = "Shop.CheckoutException: gateway said: 503", ErrorTypes = "Shop.CheckoutException, System.TimeoutException, Shop.GatewayException", Reason = ParkReason.Exhausted }, "payments");
        var message = ParkedMessageReader.Read(new BasicProperties { Headers = headers }, default, RetryPointNames.For("payments"));
        filter.Matches(message).ShouldBe(selected, what);
    }

    private static ParkedFilter WithHeader(string name, string value) => ParkedFilter.All with { Headers = ParkedFilter.All.Headers.SetItem(name, value) };
}
