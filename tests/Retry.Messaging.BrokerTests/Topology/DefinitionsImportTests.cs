using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Topology;

/// <summary>Both forms of the exported definitions, each on a stock node of its own: nothing of ours in its configuration.</summary>
public sealed class DefinitionsImportTests
{
    private const string BootUser = "shop";
    private const string BootPassword = "boot-s3cret";
    private const string BootHost = "orders";

    [Fact]
    public async Task The_definitions_in_the_repository_import_into_a_virtual_host()
    {
        await using var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { AdvancedConfig = "[]." });
        var address = await broker.CreateVirtualHostAsync();
        var definitions = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "topology", "definitions.json"));
        using var management = new RawManagement(broker, address);

        await management.ImportAsync(definitions);
        await management.ImportAsync(definitions);

        await ShouldBeTheLadderAsync(address);
    }

    [Fact]
    public async Task A_stock_broker_boots_from_the_boot_form()
    {
        var boot = await CommandLineRun.RunAsync($"topology export --boot --boot-user {BootUser} --boot-vhost {BootHost}", ("RETRY_BOOT_PASSWORD", BootPassword));
        boot.ExitCode.ShouldBe(ExitCode.Done, boot.Error);
        boot.Output.ShouldNotContain(BootPassword);
        var file = Path.Combine(Directory.CreateTempSubdirectory("boot-form-").FullName, "boot.json");
        await File.WriteAllTextAsync(file, boot.Output);

        await using var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { AdvancedConfig = "[].", DefinitionsFile = file, UserName = BootUser, Password = BootPassword });

        await ShouldBeTheLadderAsync(new Uri(broker.AmqpUri, "/" + BootHost));
    }

    /// <summary>A message that waits 1.1 s passes two rungs; and the program's own plan, which refuses what differs, finds nothing to add.</summary>
    private static async Task ShouldBeTheLadderAsync(Uri address)
    {
        await using var raw = await RawClient.ConnectAsync(address);
        await raw.DeclareQueueAsync("payments");
        await raw.BindAsync("payments", "retry.v1.return", "*.*.*.*.*.*.*.*.payments");
        await raw.PublishAsync("retry.v1.s", "0.0.0.0.0.0.1.1.payments", new byte[] { 1 });
        await raw.WaitForCountAsync("payments", 1, TimeSpan.FromSeconds(10));
        var message = (await raw.DrainAsync("payments")).Single();
        ((IList<object>)message.BasicProperties.Headers!["x-death"]!).Cast<IDictionary<string, object>>()
            .Select(death => System.Text.Encoding.UTF8.GetString((byte[])death["queue"])).Order().ShouldBe(["retry.v1.100ms", "retry.v1.1s"]);

        var apply = await CommandLineRun.RunAsync(address, null, "topology apply");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Error);
        apply.Output.ShouldContain("0 of the exchanges and queues are new");
    }
}
