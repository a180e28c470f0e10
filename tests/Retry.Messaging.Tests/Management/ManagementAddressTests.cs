using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Management;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Management;

public sealed class ManagementAddressTests
{
    [Theory]
    [InlineData("amqp://h", null, "http://h:15672/")]
    [InlineData("amqps://u:p@h:5999/v", "", "https://h:15671/")]
    [InlineData("amqp://[::1]", null, "http://[::1]:15672/")]
    [InlineData("amqp://h", "https://other:8443/rabbit/api/", "https://other:8443/rabbit/")]
    [InlineData("amqp://h", "http://other:1/", "http://other:1/")]
    public void Is_the_one_named_or_the_brokers_host(string broker, string? text, string root) =>
        ManagementAddress.Of(BrokerAddress.Parse(broker), text).Root.AbsoluteUri.ShouldBe(root);

    [Theory]
    [InlineData("localhost:15672")]
    [InlineData("amqp://h")]
    [InlineData("http://u:s3cret@h:1")]
    [InlineData("http://h:1/?s3cret")]
    public void Is_refused_without_being_repeated(string text) =>
        Should.Throw<FormatException>(() => ManagementAddress.Of(BrokerAddress.Parse("amqp://h"), text)).Message.ShouldNotContain("s3cret");
}
