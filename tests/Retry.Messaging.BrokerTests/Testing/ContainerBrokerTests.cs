using System.Net;
using System.Net.NetworkInformation;
using RabbitMQ.Client;
using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Testing;

public sealed class ContainerBrokerTests
{
    /// <summary>Names another image than the official one, for a machine that may not pull it.</summary>
    private const string ImageVariable = "RETRY_TEST_CONTAINER_IMAGE";

    private static readonly CreateChannelOptions Confirmed = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
    private static readonly Dictionary<string, object?> Quorum = new() { [Headers.XQueueType] = "quorum" };

    [ContainerFact]
    public async Task A_broker_in_a_container_listens_on_loopback_only_and_keeps_what_it_confirmed_over_a_stop_and_a_kill()
    {
        var options = new PrivateBrokerOptions { UserName = "shop", Password = "secret" };
        options.Sources.Clear();
        options.Sources.Add(new RabbitMqContainerSource(Environment.GetEnvironmentVariable(ImageVariable) ?? RabbitMqContainerSource.DefaultImage));
        int[] ports;
        await using (var broker = await PrivateBroker.StartAsync(options))
        {
            ports = [broker.Port, broker.ManagementUri!.Port];
            var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => ports.Contains(listener.Port)).ToList();
            listeners.Select(listener => listener.Port).Distinct().ShouldBe(ports, ignoreOrder: true);
            listeners.ShouldAllBe(listener => IPAddress.IsLoopback(listener.Address));
            (await broker.ControlAsync("version")).Trim().ShouldEndWith(broker.Version);
            (await broker.ControlAsync("eval", "application:get_env(rabbit, dead_letter_worker_consumer_prefetch).")).Trim().ShouldBe("{ok,1000}");

            var virtualHost = await broker.CreateVirtualHostAsync();
            await PublishAsync(virtualHost);

            // first the orderly stop: see PrivateBrokerTests
            await broker.RestartAsync();
            await PublishAsync(virtualHost);
            await broker.KillAsync();
            await Should.ThrowAsync<Exception>(() => BrokerFixture.ConnectAsync(virtualHost));
            await broker.RestartAsync();

            await using var connection = await BrokerFixture.ConnectAsync(virtualHost);
            await using var channel = await connection.CreateChannelAsync();
            (await channel.BasicGetAsync("orders", autoAck: true)).ShouldNotBeNull();
            (await channel.BasicGetAsync("orders", autoAck: true)).ShouldNotBeNull();
        }

        IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().ShouldAllBe(listener => !ports.Contains(listener.Port));
    }

    [Theory]
    [InlineData("root")]
    [InlineData("epmd")]
    public async Task A_container_refuses_options_that_are_about_this_machine(string option)
    {
        var options = option == "root" ? new PrivateBrokerOptions { Root = "/srv/rabbitmq" } : new PrivateBrokerOptions { EpmdPort = 4369 };

        (await new RabbitMqContainerSource().FindObstacleAsync(options, CancellationToken.None))!.ShouldContain("Root or EpmdPort");
    }

    private static async Task PublishAsync(Uri virtualHost)
    {
        await using var connection = await BrokerFixture.ConnectAsync(virtualHost);
        await using var channel = await connection.CreateChannelAsync(Confirmed);
        await channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false, Quorum);
        await channel.BasicPublishAsync(string.Empty, "orders", mandatory: true, new BasicProperties { Persistent = true }, new byte[] { 1 });
    }
}
