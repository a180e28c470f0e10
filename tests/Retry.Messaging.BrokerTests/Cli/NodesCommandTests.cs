using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary><c>retryctl nodes</c>: the instances that serve retry points, found without being named.</summary>
[Collection(OperatorBroker.Name)]
public sealed class NodesCommandTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_service_is_shown_with_what_it_serves_and_who_may_only_read_sees_it()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var management = new RawManagement(broker.Broker, address);
        await management.SetUserAsync("watcher", "watcher", mayConfigure: "^$", mayWrite: "^$", tags: "monitoring");
        var reader = new UriBuilder(address) { UserName = "watcher", Password = "watcher" }.Uri;
        (await RunAsync(reader, "nodes")).Output.ShouldContain("No running instances.");

        await using (await StartAsync(address))
        {
            var node = Read(await RunAsync(reader, "nodes payments --json")).ShouldHaveSingleItem();
            node.GetProperty("node").GetString().ShouldBe($"{Environment.MachineName}:{Environment.ProcessId}");
            node.GetProperty("isThere").GetBoolean().ShouldBeTrue();
            node.GetProperty("build").GetString().ShouldBe("commit 4711");
            node.GetProperty("framework").GetString()!.ShouldMatch(@"^MassTransit 8\.5\.[0-9]+$");
            node.GetProperty("points").GetArrayLength().ShouldBe(2);
            var point = node.GetProperty("points").EnumerateArray().Single(served => served.GetProperty("queue").GetString() == "payments");
            point.GetProperty("policy").GetString()!.ShouldContain("Retries(3)");
            point.GetProperty("prefetch").GetInt32().ShouldBe(7);
            point.GetProperty("concurrency").GetInt32().ShouldBe(2);
            point.GetProperty("messageTypes").EnumerateArray().Select(type => type.GetString()).ShouldBe([TypeCache<Charge>.ShortName]);

            var table = await RunAsync(reader, "nodes payments");
            table.ExitCode.ShouldBe(ExitCode.Done, table.Error);
            table.Output.ShouldContain("there");
            table.Output.ShouldContain("prefetch 7, at once 2");
            (await RunAsync(reader, "nodes nobodys")).Error.ShouldContain("Found no queue 'nobodys', wanted the work queue of a retry point.");
            // its endpoints are in the same run of the program
            (await PointAsync(reader, "payments")).GetProperty("nodes").GetInt32().ShouldBe(1);
        }

        (await RunAsync(reader, "nodes")).Output.ShouldContain("No running instances.");
        (await RunAsync(reader, "nodes payments")).Output.ShouldContain("No running instance serves payments.");
    }

    [Fact]
    public async Task Who_goes_without_a_word_is_shown_as_gone_within_fifteen_seconds()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using (var dying = await BrokerFixture.ConnectAsync(address))
        {
            var session = new InstanceSession(dying, "the dying one", new(DateTimeOffset.UtcNow, "1.0.0", "none", ".NET", null), "web-9:1", TimeProvider.System);
            await session.OpenAsync(default);
            await session.BeginAsync(new ServedPoint("payments"), default);
            (await RunAsync(address, "nodes")).ExitCode.ShouldBe(ExitCode.Done);
        }

        var (exitCode, output) = (ExitCode.Done, string.Empty);
        await Eventually.TrueAsync(
            async () =>
            {
                (exitCode, output, _) = await RunAsync(address, "nodes");
                return exitCode == ExitCode.Finding;
            },
            Deadline,
            () => output);
        output.ShouldContain("GONE");
        output.ShouldContain("web-9:1");
        Read(await RunAsync(address, "nodes --json")).ShouldHaveSingleItem().GetProperty("isThere").GetBoolean().ShouldBeFalse();
    }

    private static Task<RetryService> StartAsync(Uri address) => RetryService.StartAsync(
        address,
        (_, bus) =>
        {
            bus.ReceiveEndpoint("payments", endpoint =>
            {
                endpoint.PrefetchCount = 7;
                endpoint.ConcurrentMessageLimit = 2;
                endpoint.Handler<Charge>(_ => Task.CompletedTask);
            });
            bus.ReceiveEndpoint("mails", endpoint => endpoint.Handler<Charge>(_ => Task.CompletedTask));
        },
        bus => bus.AddGradientRetry(retry =>
        {
            retry.Build = "commit 4711";
            retry.Retries(3);
        }));

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private async Task<JsonElement> PointAsync(Uri address, string queue)
    {
        var run = await RunAsync(address, "points --json");
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.GetProperty("points").EnumerateArray().Single(point => point.GetProperty("queue").GetString() == queue).Clone();
    }

    private static List<JsonElement> Read((int ExitCode, string Output, string Error) run)
    {
        List<JsonElement> documents = [];
        foreach (var line in run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var document = JsonDocument.Parse(line);
            documents.Add(document.RootElement.Clone());
        }

        return documents;
    }

    public sealed record Charge(int Amount);
}
