using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary><c>retryctl schedule</c> and <c>retryctl scheduler</c>.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class ScheduleCommandTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_is_scheduled_is_listed_where_a_service_writes_the_index()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { }, scheduler: options => options.ListScheduled = true);
        var due = DateTime.UtcNow.AddHours(5);
        var scheduled = await service.Scheduler.ScheduleSend(new Uri("queue:later"), due, new Order(1));
        for (var i = 0; i < 30; i++)
        {
            await service.Scheduler.ScheduleSend(new Uri("queue:others"), due.AddDays(1), new Order(i));
        }

        // what is due is past, and listed no more
        await service.Scheduler.ScheduleSend(new Uri("queue:later"), DateTime.UtcNow.AddMilliseconds(100), new Order(2));
        var list = await ListAsync(uri, 31);

        list.GetProperty("indexed").GetBoolean().ShouldBeTrue();
        list.GetProperty("scheduled").GetArrayLength().ShouldBe(20);
        var first = list.GetProperty("scheduled")[0];
        first.GetProperty("exchange").GetString().ShouldBe("later");
        first.GetProperty("token").GetString().ShouldBe(scheduled.TokenId.ToString());
        first.GetProperty("messageType").GetString()!.ShouldContain(nameof(Order));
        first.GetProperty("by").GetString()!.ShouldEndWith(Environment.MachineName);
        first.GetProperty("dueAt").GetDateTimeOffset().ShouldBe(due, TimeSpan.FromMilliseconds(2));
        list.GetProperty("byHour").EnumerateArray().Select(hour => hour.GetProperty("count").GetInt32()).ShouldBe([1, 30]);

        var (exitCode, output, _) = await CommandLineRun.RunAsync(uri, null, "schedule list --to later");
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("1 message scheduled once, by the index.");
        output.ShouldContain(scheduled.TokenId.ToString());
        (await CommandLineRun.RunAsync(uri, null, "schedule list --by-hour")).Output.ShouldContain("30");
        (await CommandLineRun.RunAsync(uri, null, $"schedule show {scheduled.TokenId}")).Output.ShouldContain("waits");

        (await CommandLineRun.RunAsync(uri, null, $"schedule cancel {scheduled.TokenId}")).Output.ShouldContain("cancelled");
        var without = await ListAsync(uri, 30);
        without.GetProperty("cancelled").GetInt64().ShouldBe(1);
        without.GetProperty("scheduled").EnumerateArray().ShouldAllBe(one => one.GetProperty("exchange").GetString() == "others");
        without.GetProperty("byHour").EnumerateArray().ShouldHaveSingleItem().GetProperty("count").GetInt32().ShouldBe(30);
        (await CommandLineRun.RunAsync(uri, null, "schedule list")).Output.ShouldContain("30 messages scheduled once, by the index; 1 more cancelled.");
        (await CommandLineRun.RunAsync(uri, null, $"schedule show {scheduled.TokenId}")).Output.ShouldMatch("state +cancelled");
    }

    [Fact]
    public async Task Without_the_index_list_says_so_and_reading_declares_nothing()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);

        var (exitCode, output, _) = await CommandLineRun.RunAsync(uri, null, "schedule list");

        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("Nothing recurs.");
        output.ShouldContain("'ListScheduled' of AddGradientScheduler");
        await using var channel = await raw.Connection.CreateChannelAsync();
        await Should.ThrowAsync<RabbitMQ.Client.Exceptions.OperationInterruptedException>(() => channel.QueueDeclarePassiveAsync("retry.v1.control"));
        (await CommandLineRun.RunAsync(uri, null, "schedule pause nobodys")).ExitCode.ShouldBe(ExitCode.Usage);
    }

    [Fact]
    public async Task An_operator_has_a_recurrence_rest_resume_and_run_now()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { }, x => x.AddRecurring(
            "nightly",
            "0 2 29 2 *",
            new Order(7),
            r =>
            {
                (r.Destination, r.TimeZone, r.Group, r.Description) = (new Uri("queue:reports"), "Europe/Berlin", "billing", "the report");
            }));
        await Eventually.TrueAsync(async () => (await ListAsync(uri, null)).GetProperty("recurring").GetArrayLength() == 1, Deadline);

        (await CommandLineRun.RunAsync(uri, null, "schedule pause billing/nightly")).Output.ShouldContain("rests until");
        var paused = JsonDocument.Parse((await CommandLineRun.RunAsync(uri, null, "schedule show billing/nightly --json")).Output).RootElement;
        paused.GetProperty("paused").GetBoolean().ShouldBeTrue();
        paused.GetProperty("exchange").GetString().ShouldBe("reports");
        paused.GetProperty("nextSlots").EnumerateArray().Select(slot => slot.GetDateTimeOffset()).ShouldAllBe(slot => slot.Month == 2 && slot.Day == 29 && slot.Hour == 1);
        (await CommandLineRun.RunAsync(uri, null, "schedule list")).Output.ShouldContain("paused");

        (await CommandLineRun.RunAsync(uri, null, "schedule now billing/nightly")).ExitCode.ShouldBe(ExitCode.Done);
        await raw.WaitForCountAsync("reports", 1, Deadline);
        (await raw.DrainAsync("reports")).ShouldHaveSingleItem().BasicProperties.Headers!.Keys.ShouldContain("retry-recurrence");

        (await CommandLineRun.RunAsync(uri, null, "schedule resume billing/nightly")).Output.ShouldContain("next 2028-02-29 01:00:00Z");
        var shown = (await CommandLineRun.RunAsync(uri, null, "schedule show billing/nightly")).Output;
        shown.ShouldContain("the report");
        shown.Split('\n').ShouldAllBe(line => line.Length <= 80);
    }

    [Fact]
    public async Task Scheduler_run_dispatches_and_sends_what_recurs_while_no_service_runs()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        await using (var service = await ScheduledService.StartAsync(uri, (_, _) => { }, x => x.AddRecurring(
            "each-minute",
            "0 * * * * *",
            new Order(1),
            r => r.Destination = new Uri("queue:reports"))))
        {
            await Eventually.TrueAsync(async () => (await ListAsync(uri, null)).GetProperty("recurring").GetArrayLength() == 1, Deadline);
            await service.Scheduler.ScheduleSend(new Uri("queue:reports"), DateTime.UtcNow.AddSeconds(5), new Order(2));
        }

        using var interrupt = new CancellationTokenSource();
        var (run, error) = CommandLineRun.Start(uri, "scheduler run", interrupt.Token);
        await raw.WaitForCountAsync("reports", 1, Deadline);
        await CommandLineRun.RunAsync(uri, null, "schedule now each-minute");
        await raw.WaitForCountAsync("reports", 2, Deadline);

        await error.WaitForAsync("scheduler: Active", Deadline);
        await interrupt.CancelAsync();
        (await run.WaitAsync(Deadline)).ShouldBe(ExitCode.Done, error.ToString());
    }

    private static async Task<JsonElement> ListAsync(Uri uri, int? waiting)
    {
        JsonElement list = default;
        await Eventually.TrueAsync(
            async () =>
            {
                var (exitCode, output, error) = await CommandLineRun.RunAsync(uri, null, "schedule list --json");
                exitCode.ShouldBe(ExitCode.Done, error);
                list = JsonDocument.Parse(output).RootElement;
                return waiting is null || (list.TryGetProperty("waiting", out var count) && count.GetInt64() == waiting);
            },
            Deadline,
            () => list.ToString());
        return list;
    }

    public sealed record Order(int Number);
}
