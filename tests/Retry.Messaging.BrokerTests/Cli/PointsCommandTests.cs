using System.Text.Json;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary><c>retryctl points</c>: all points of a virtual host without naming one.</summary>
[Collection(OperatorBroker.Name)]
public sealed class PointsCommandTests(BrokerFixture broker)
{
    // the management API refreshes its counts every five seconds
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Every_point_is_shown_with_what_waits_and_what_its_limiter_does()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var limited = await LimitedPoint.CreateAsync(address);
        await limited.FillAsync(30);
        await new LimiterControl(limited.Raw.Connection).SetRateAsync("work", 7, null, "night shift");
        (await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "topology apply --point mails")).ExitCode.ShouldBe(ExitCode.Done);
        using var management = new RawManagement(broker.Broker, address);
        await management.SetUserAsync("watcher", "watcher", mayConfigure: "^$", mayWrite: "^$", tags: "monitoring");
        var reader = new UriBuilder(address) { UserName = "watcher", Password = "watcher" }.Uri;

        var document = default(JsonElement);
        await Eventually.TrueAsync(
            async () => Point(document = await ReadAsync(reader), "work").TryGetProperty("waiting", out var waiting) && waiting.GetInt64() == 30,
            Deadline,
            () => document.ToString());
        Point(document, "work").GetProperty("limiter").GetString().ShouldBe("Missing");
        Point(document, "work").GetProperty("perSecond").GetDouble().ShouldBe(7);
        Point(document, "work").GetProperty("ready").GetInt64().ShouldBe(0);
        // its work queue does not exist
        Point(document, "mails").TryGetProperty("ready", out _).ShouldBeFalse();
        Point(document, "mails").GetProperty("limiter").GetString().ShouldBe("None");
        document.GetProperty("total").GetProperty("waiting").GetInt64().ShouldBe(30);

        await new LimiterControl(limited.Raw.Connection).PauseAsync("work", "night shift");
        var table = await CommandLineRun.RunAsync(reader, broker.Broker.ManagementUri, "points");
        table.ExitCode.ShouldBe(ExitCode.Finding, table.Error);
        table.Output.ShouldContain("Look at mails: its work queue does not exist.");
        table.Output.ShouldContain("paused");
        table.Output.ShouldContain("On the ladder: 0 messages of all points together");
    }

    [Fact]
    public async Task A_broker_without_points_says_so()
    {
        var run = await CommandLineRun.RunAsync(await broker.CreateVirtualHostAsync(), broker.Broker.ManagementUri, "points");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("No retry points.");
    }

    private async Task<JsonElement> ReadAsync(Uri reader)
    {
        var run = await CommandLineRun.RunAsync(reader, broker.Broker.ManagementUri, "points --json");
        run.ExitCode.ShouldBe(ExitCode.Finding, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.Clone();
    }

    private static JsonElement Point(JsonElement document, string queue) =>
        document.GetProperty("points").EnumerateArray().Single(point => point.GetProperty("queue").GetString() == queue);
}
