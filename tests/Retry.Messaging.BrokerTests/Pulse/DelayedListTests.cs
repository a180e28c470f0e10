using System.Diagnostics;
using System.Text.Json;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary><c>retryctl delayed list</c> against what a raw client saw climb, under load and after kills.</summary>
[Collection(OperatorBroker.Name)]
public sealed class DelayedListTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const string Payments20 = "0.0.0.0.0.2.0.0.payments";
    private const string Payments2 = "0.0.0.0.2.0.0.0.payments";
    private const string Mails20 = "0.0.0.0.0.2.0.0.mails";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Seconds20 = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Minutes2 = TimeSpan.FromMinutes(2);

    // a message is seen here a moment before, or after, its sender has the broker's confirm
    private const int OnTheirWay = 10;

    [Fact]
    public async Task Each_point_and_grade_has_what_a_raw_client_saw_climb_within_its_error_also_after_a_kill()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var climbs = new RawClimbs(raw.Connection);
        await using var producer = await RetryService.StartAsync(address, (_, _) => { }, _ => { });
        using var process = await StartAsync(address);
        await climbs.StartAsync("retry.v1.m", "retry.v1.10s");
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(producer, stop.Token);
        await Eventually.TrueAsync(() => climbs.Waiting(Mails20, Seconds20, DateTimeOffset.UtcNow) > 100, Deadline);

        for (var look = 0; look < 3; look++)
        {
            await CompareAsync(address, climbs, raw, "under load");
        }

        process.Kill();
        await process.WaitForExitAsync();
        await stop.CancelAsync();
        await sending;
        var errors = await CompareAsync(address, climbs, raw, "after a kill");
        // five seconds of its work, and what was on its way
        errors.ShouldAllBe(error => error > 0 && error < 400);
        // the time of the rung has passed, with what a process may have sent just before it was killed
        await Scenario.PauseAsync(Seconds20 + TimeSpan.FromSeconds(3));
        var later = await ReadAsync(address);
        (Waiting(later, "payments", "20s"), Waiting(later, "mails", "20s")).ShouldBe(((0, 0), (0, 0)));
        Waiting(later, "payments", "2m").Waiting.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_process_that_stops_in_good_order_leaves_no_error_and_points_show_what_climbs()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        using var log = new LogLines();
        await using (var service = await RetryService.StartAsync(
            address,
            (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
            {
                endpoint.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMinutes(3)).Retries(1));
                endpoint.Handler<ClimbingConsumer.Mail>(_ => throw new InvalidOperationException("away"));
            }),
            services: log.AddTo))
        {
            for (var i = 0; i < 7; i++)
            {
                await service.Bus.Publish(new ClimbingConsumer.Mail("ann"));
            }

            await Eventually.TrueAsync(
                async () => await raw.CountAsync("retry.v1.3m") == 7,
                Deadline,
                () => string.Join('\n', log.Lines));
        }

        var document = await ReadAsync(address);
        Waiting(document, "payments", "3m").ShouldBe((7, 0));
        var grade = document.GetProperty("points")[0].GetProperty("grades")[0];
        (grade.GetProperty("last").GetDateTimeOffset() - DateTimeOffset.UtcNow).ShouldBeInRange(TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(3));
        document.GetProperty("ladder")[0].GetProperty("unclaimed").GetInt64().ShouldBe(0);

        var run = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "points --json");
        using var points = JsonDocument.Parse(run.Output);
        points.RootElement.GetProperty("points")[0].GetProperty("climbing").GetInt64().ShouldBe(7);
        // what somebody else sends is seen, and is nobody's
        await raw.PublishAsync("retry.v1.m", "0.0.0.0.3.0.0.0.elsewhere", new byte[1]);
        var table = await CommandLineRun.RunAsync(address, null, "delayed list payments");
        table.ExitCode.ShouldBe(ExitCode.Done, table.Error);
        table.Output.ShouldContain("On the broker: 8 messages: 3m 8");
        table.Output.ShouldContain("Of no known point (scheduled, not reported yet, or sent by a process that was killed): 3m 1");
    }

    private async Task<List<long>> CompareAsync(Uri address, RawClimbs climbs, RawClient raw, string when)
    {
        var from = DateTimeOffset.UtcNow;
        var document = await ReadAsync(address);
        var until = DateTimeOffset.UtcNow;
        var errors = new List<long>();
        foreach (var (queue, grade, key, delay) in new[] { ("payments", "20s", Payments20, Seconds20), ("payments", "2m", Payments2, Minutes2), ("mails", "20s", Mails20, Seconds20) })
        {
            var (waiting, error) = Waiting(document, queue, grade);
            var (truth, moved) = (climbs.Waiting(key, delay, until), climbs.Moved(key, delay, from, until));
            output.WriteLine($"{when}: {queue} {grade}: {waiting} ±{error}, raw {truth}, moved meanwhile {moved}");
            Math.Abs(waiting - truth).ShouldBeLessThanOrEqualTo(error + moved + OnTheirWay, $"{queue} {grade}");
            errors.Add(error);
        }

        return errors;
    }

    private static (long Waiting, long Error) Waiting(JsonElement document, string queue, string grade) => document.GetProperty("points").EnumerateArray()
        .Where(point => point.GetProperty("queue").GetString() == queue)
        .SelectMany(point => point.GetProperty("grades").EnumerateArray())
        .Where(one => one.GetProperty("grade").GetString() == grade)
        .Select(one => (one.GetProperty("waiting").GetInt64(), one.GetProperty("error").GetInt64()))
        .FirstOrDefault();

    private static async Task<JsonElement> ReadAsync(Uri address)
    {
        var run = await CommandLineRun.RunAsync(address, null, "delayed list --json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.Clone();
    }

    private static async Task<Process> StartAsync(Uri address)
    {
        var process = TestProcess.Start(TestProcess.ClimbingConsumerRole, new Dictionary<string, string> { [ClimbingConsumer.BrokerVariable] = address.AbsoluteUri });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(ClimbingConsumer.Ready);
        return process;
    }

    private static async Task SendAsync(RetryService producer, CancellationToken cancellationToken)
    {
        for (var i = 0; !cancellationToken.IsCancellationRequested; i++)
        {
            await producer.Bus.Publish(new ClimbingConsumer.Charge(i % 3 == 0), CancellationToken.None);
            await producer.Bus.Publish(new ClimbingConsumer.Mail("ann"), CancellationToken.None);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        }
    }
}
