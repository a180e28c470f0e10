using Retry.Messaging.RabbitMq.Connections;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Connections;

public sealed class BrokerAddressTests
{
    [Theory]
    [InlineData("amqp://localhost", "guest", "localhost", 5672, "/", false)]
    [InlineData("amqp://localhost/", "guest", "localhost", 5672, "/", false)]
    [InlineData("amqps://localhost", "guest", "localhost", 5671, "/", true)]
    [InlineData("AMQP://shop:pw@rabbit.example:5673/orders", "shop", "rabbit.example", 5673, "orders", false)]
    [InlineData("amqp://shop@h/%2F", "shop", "h", 5672, "/", false)]
    [InlineData("amqp://a%40b:p%2Fw%3A@h/x%2Fy", "a@b", "h", 5672, "x/y", false)]
    [InlineData("  amqp://[::1]:5672/v  ", "guest", "::1", 5672, "v", false)]
    [InlineData("amqp://h/bestellungen-%C3%BC", "guest", "h", 5672, "bestellungen-ü", false)]
    public void Reads(string text, string user, string host, int port, string virtualHost, bool useTls)
    {
        var address = BrokerAddress.Parse(text);
        (address.User, address.Host, address.Port, address.VirtualHost, address.UseTls).ShouldBe((user, host, port, virtualHost, useTls));
    }

    [Theory]
    [InlineData("")]
    [InlineData("shop:s3cret@localhost")]
    [InlineData("http://shop:s3cret@localhost:15672")]
    [InlineData("ftp://shop:s3cret@localhost")]
    [InlineData("amqp://shop:s3cret@")]
    [InlineData("amqp://shop:s3cret@localhost:port")]
    [InlineData("amqp://shop:s3cret@localhost:0")]
    [InlineData("amqp://shop:s3cret@localhost:65536")]
    [InlineData("amqp://shop:s3cret@localhost:5672/a/b")]
    [InlineData("amqp://shop:s3cret@localhost/v?heartbeat=5")]
    [InlineData("amqp://shop:s3c#ret@localhost")]
    [InlineData("amqp://shop:s3cr/et@localhost")]
    [InlineData("amqp://shop:s3cr@et@localhost")]
    [InlineData("amqp://shop:s3cr%et@localhost")]
    [InlineData("amqp://:s3cret@localhost")]
    [InlineData("amqp://shop:s3cret@[::1")]
    [InlineData("amqp://shop:s3cret@[::1]x")]
    [InlineData("amqp://shop:s3cret@two words")]
    public void Refuses_and_says_what_is_wanted_without_the_password(string text)
    {
        var message = Should.Throw<FormatException>(() => BrokerAddress.Parse(text)).Message;
        message.ShouldContain("wanted amqp://");
        message.ShouldNotContain("s3c");
    }

    [Theory]
    [InlineData("amqp://shop:s3cret@localhost/orders", "amqp://shop:***@localhost:5672/orders")]
    [InlineData("amqps://localhost", "amqps://guest@localhost:5671/")]
    [InlineData("amqp://a%40b:s3cret@[::1]/%2F", "amqp://a%40b:***@[::1]:5672/")]
    [InlineData("amqp://shop:@localhost/x%2Fy", "amqp://shop:***@localhost:5672/x%2Fy")]
    public void Prints_without_the_password(string text, string printed) => BrokerAddress.Parse(text).ToString().ShouldBe(printed);

    [Fact]
    public async Task Says_on_one_line_that_nobody_answers()
    {
        var exception = await Should.ThrowAsync<BrokerConnectionException>(() => BrokerAddress.Parse("amqp://shop:s3cret@127.0.0.1:1/v").ConnectAsync("test"));
        exception.Message.ShouldStartWith("No broker answers at amqp://shop:***@127.0.0.1:1/v");
        exception.Message.ShouldNotContain("\n");
    }
}
