using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Retry.Messaging.Operations.Topology;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Topology;

public sealed class TopologyExportTests
{
    [Fact]
    public void The_file_in_the_repository_is_what_the_plan_exports()
    {
        var file = Path.Combine(RepositoryRoot(), "topology", "definitions.json");
        File.ReadAllText(file).ShouldBe(TopologyExport.ToVirtualHost(TopologyPlan.Ladder), "Run 'dotnet run --project src/Retry.Messaging.Cli -- topology export > topology/definitions.json'.");
    }

    [Fact]
    public void Definitions_of_a_virtual_host_name_none_and_no_user()
    {
        using var json = JsonDocument.Parse(TopologyExport.ToVirtualHost(TopologyPlan.Ladder));
        json.RootElement.EnumerateObject().Select(property => property.Name).ShouldBe(["exchanges", "queues", "bindings"]);
        json.RootElement.GetProperty("queues").GetArrayLength().ShouldBe(60);
        json.RootElement.GetProperty("exchanges").GetArrayLength().ShouldBe(11);
        TopologyExport.ToVirtualHost(TopologyPlan.Ladder).ShouldNotContain("vhost");
    }

    [Fact]
    public void Ends_with_one_newline_and_has_no_carriage_return()
    {
        var text = TopologyExport.ToBoot(TopologyPlan.Ladder, BootAccount.Default);
        text.ShouldEndWith("}\n");
        text.ShouldNotContain("\r");
    }

    [Fact]
    public void The_boot_file_of_the_default_user_is_the_same_every_time() =>
        TopologyExport.ToBoot(TopologyPlan.Ladder, BootAccount.Default).ShouldBe(TopologyExport.ToBoot(TopologyPlan.Ladder, BootAccount.Default));

    [Fact]
    public void The_boot_file_holds_a_hash_that_the_broker_can_check_and_no_password()
    {
        var text = TopologyExport.ToBoot(TopologyPlan.Ladder, new BootAccount("shop", "s3cret"), "orders");
        text.ShouldNotContain("s3cret");
        using var json = JsonDocument.Parse(text);
        var hash = json.RootElement.GetProperty("users")[0].GetProperty("password_hash").GetBytesFromBase64();
        var salt = hash[..4];
        hash[4..].ShouldBe(SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes("s3cret")]));
        json.RootElement.GetProperty("queues").EnumerateArray().ShouldAllBe(queue => queue.GetProperty("vhost").GetString() == "orders");
    }

    [Fact]
    public void Leaves_out_the_bindings_of_queues_that_belong_to_a_service()
    {
        var plan = TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For("payments"), withRelease: false));
        TopologyExport.BoundElsewhere(plan).ShouldBe(["payments"]);
        using var json = JsonDocument.Parse(TopologyExport.ToVirtualHost(plan));
        json.RootElement.GetProperty("bindings").EnumerateArray().Select(binding => binding.GetProperty("destination").GetString()).ShouldNotContain("payments");
        json.RootElement.GetProperty("bindings").EnumerateArray().Select(binding => binding.GetProperty("destination").GetString()).ShouldContain("payments.parked");
    }

    private static string RepositoryRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Retry.Messaging.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"Found no Retry.Messaging.sln above {AppContext.BaseDirectory}.");
    }
}
