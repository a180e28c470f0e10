using System.Diagnostics;
using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary><c>retryctl limiter</c> as a process: what it prints, what it leaves, and its exit code.</summary>
[Collection(OperatorBroker.Name)]
public sealed class LimiterCommandTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Effective = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Status_works_for_who_may_only_read_and_leaves_no_record()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var point = await LimitedPoint.CreateAsync(address);
        using var management = new RawManagement(broker.Broker, address);
        await management.SetUserAsync("reader", "reader", mayConfigure: "^$", mayWrite: "^$");
        var reader = new UriBuilder(address) { UserName = "reader", Password = "reader" }.Uri;

        // 3: nobody releases; neither stream is made by looking for it
        (await CommandLineRun.RunAsync(reader, null, "limiter status work")).ExitCode.ShouldBe(ExitCode.Finding);
        (await point.Raw.CountAsync(BrokerNames.ControlStream)).ShouldBeNull();
        (await point.Raw.CountAsync(BrokerNames.AnnouncementStream)).ShouldBeNull();

        await new LimiterControl(point.Raw.Connection).SetRateAsync("work", 7, null, "night shift");
        for (var i = 0; i < 3; i++)
        {
            (await CommandLineRun.RunAsync(reader, null, "limiter status work")).Output.ShouldContain("7/s");
        }

        var set = await CommandLineRun.RunAsync(reader, null, "limiter rate work 9");
        (set.ExitCode, set.Error).ShouldSatisfyAllConditions(answer => answer.ExitCode.ShouldBe(ExitCode.Failed), answer => answer.Error.ShouldContain("ACCESS_REFUSED"));
        (await RawStream.CountAsync(point.Raw.Connection, BrokerNames.ControlStream)).ShouldBe(1);
    }

    [Fact]
    public async Task A_limiter_process_follows_what_other_processes_set()
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        await point.FillAsync(500);
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);

        var deserted = await RunAsync(point.Broker, "limiter", "status", "work");
        deserted.ExitCode.ShouldBe(ExitCode.Finding);
        deserted.Output.ShouldContain("NOTHING IS REDELIVERED");
        deserted.Error.ShouldContain("retryctl limiter run --point work");

        using var limiter = Start(point.Broker, "limiter", "run", "--point", "work", "--rate", "40");
        await arrivals.WaitForAsync(40, Deadline);
        var status = await RunAsync(point.Broker, "limiter", "status", "work", "--json");
        status.ExitCode.ShouldBe(ExitCode.Done, status.Error);
        using (var report = JsonDocument.Parse(status.Output))
        {
            report.RootElement.GetProperty("limiters").GetInt64().ShouldBe(1);
            report.RootElement.GetProperty("lastActive").GetProperty("codeLimit").GetProperty("perSecond").GetDouble().ShouldBe(40);
            report.RootElement.GetProperty("lastActive").GetProperty("instance").GetString().ShouldEndWith($":{limiter.Id}");
        }

        var paused = await RunAsync(point.Broker, "limiter", "pause", "work", "--json");
        paused.ExitCode.ShouldBe(ExitCode.Done, paused.Error);
        using (var setting = JsonDocument.Parse(paused.Output))
        {
            setting.RootElement.GetProperty("paused").GetBoolean().ShouldBeTrue();
            setting.RootElement.GetProperty("version").GetInt64().ShouldBe(1);
        }

        await Scenario.PauseAsync(Effective);
        var before = arrivals.Count;
        await Never.TrueAsync(() => arrivals.Count != before, Effective, () => $"{arrivals.Count - before} arrived while it was paused");
        (await RunAsync(point.Broker, "limiter", "status", "work")).ShouldSatisfyAllConditions(
            run => run.ExitCode.ShouldBe(ExitCode.Done),
            run => run.Output.ShouldContain("paused; after 'resume': the rate that the code sets"),
            run => run.Output.ShouldContain("limiters     paused"));

        (await RunAsync(point.Broker, "limiter", "rate", "work", "200", "--burst", "3")).Output.ShouldContain("paused; after 'resume': 200/s, burst 3, set by an operator");
        (await RunAsync(point.Broker, "limiter", "resume", "work")).Output.ShouldContain("work: 200/s, burst 3, set by an operator. Every limiter follows within two seconds.");
        await arrivals.WaitForAsync(500, Deadline);
        (await RunAsync(point.Broker, "limiter", "rate", "work", "--clear")).Output.ShouldContain("work: the rate that the code sets");

        using var kill = Process.Start("kill", ["-TERM", $"{limiter.Id}"]);
        await limiter.WaitForExitAsync().WaitAsync(Deadline);
        limiter.ExitCode.ShouldBe(ExitCode.Done);
        arrivals.Count.ShouldBe(500);
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe(0u);
    }

    [Fact]
    public async Task A_limiter_process_without_a_rate_keeps_the_cap_that_the_code_says()
    {
        const int Cap = 30;
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(Cap);
        await point.FillAsync(1);
        await arrivals.WaitForAsync(1, Deadline);
        await LimitedPoint.WaitForCodeAsync(point.Raw.Connection, "work", Deadline);
        await point.StopAsync();

        await point.FillAsync(2 * Cap, from: 1);
        using var stop = new CancellationTokenSource();
        var started = Stopwatch.GetTimestamp();
        var (run, error) = CommandLineRun.Start(point.Broker, "limiter run --point work", stop.Token);
        await arrivals.WaitForAsync((2 * Cap) + 1, Deadline);
        Stopwatch.GetElapsedTime(started, arrivals.At.Max()).ShouldBeGreaterThan(WindowBound.Least(2 * Cap, Cap));
        var status = await CommandLineRun.RunAsync(point.Broker, null, "limiter status work");
        status.Output.ShouldContain($"rate         {Cap}/s, set by the code");
        await stop.CancelAsync();
        (await run.WaitAsync(Deadline)).ShouldBe(ExitCode.Done, error.ToString());
    }

    [Fact]
    public async Task A_limiter_process_that_knows_no_limit_releases_nothing_and_says_what_to_type()
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        await point.FillAsync(50);
        using var stop = new CancellationTokenSource();
        var (run, error) = CommandLineRun.Start(point.Broker, "limiter run --point work", stop.Token);
        await error.WaitForAsync("Run 'retryctl limiter rate work PER_SECOND'", Deadline);
        (await point.Raw.CountAsync(point.Names.Release)).ShouldBe(50u);
        (await CommandLineRun.RunAsync(point.Broker, null, "limiter status work")).Output.ShouldContain("rate         not known, because no service has announced it yet");

        (await CommandLineRun.RunAsync(point.Broker, null, "limiter rate work 1000")).ExitCode.ShouldBe(ExitCode.Done);
        await arrivals.WaitForAsync(50, Deadline);
        await stop.CancelAsync();
        (await run.WaitAsync(Deadline)).ShouldBe(ExitCode.Done, error.ToString());
    }

    [Fact]
    public async Task An_instance_without_a_limit_obeys_the_one_that_another_brings()
    {
        const int Cap = 10;
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(perSecond: null);
        await point.FillAsync(5);
        await arrivals.WaitForAsync(5, Deadline);
        (await CommandLineRun.RunAsync(point.Broker, null, "limiter status work")).Output.ShouldContain("rate         no limit, because the code sets none");

        // stands by, since the other is the active one
        point.Start(Cap);
        await WaitForStatusAsync(point.Broker, "stood by");
        await Eventually.TrueAsync(() => point.Limiters[0].Status.Limit?.PerSecond == Cap, Deadline, () => $"its limit is {point.Limiters[0].Status.Limit}");
        var filled = Stopwatch.GetTimestamp();
        await point.FillAsync(2 * Cap, from: 5);
        await arrivals.WaitForAsync(5 + (2 * Cap), Deadline);
        Stopwatch.GetElapsedTime(filled, arrivals.At.Max()).ShouldBeGreaterThan(WindowBound.Least(2 * Cap, Cap));
    }

    [Fact]
    public async Task Status_tells_the_rate_of_the_instance_that_releases_and_not_of_the_last_to_start()
    {
        await using var point = await LimitedPoint.CreateAsync(await broker.CreateVirtualHostAsync());
        await using var arrivals = await Arrivals.StartAsync(point.Raw.Connection, point.Names.Work);
        point.Start(40);
        await point.FillAsync(3);
        await arrivals.WaitForAsync(3, Deadline);
        point.Start(7);
        var status = await WaitForStatusAsync(point.Broker, "stood by");
        status.ShouldContain("rate         40/s, set by the code");
        status.ShouldContain("its rate     7/s, set by the code, unlike the active one's");
    }

    [Theory]
    [InlineData("limiter rate work", ExitCode.Usage, "PER_SECOND")]
    [InlineData("limiter rate work 0", ExitCode.Usage, "PER_SECOND")]
    [InlineData("limiter rate work 10 --clear", ExitCode.Usage, "PER_SECOND")]
    [InlineData("limiter rate work 10 --burst 0", ExitCode.Usage, "--burst")]
    [InlineData("limiter rate work fast", ExitCode.Usage, "fast")]
    [InlineData("limiter pause", ExitCode.Usage, "Found no QUEUE")]
    [InlineData("limiter resume a.*", ExitCode.Usage, "a.*")]
    [InlineData("limiter run", ExitCode.Usage, "--point")]
    [InlineData("limiter run --point work --rate 0", ExitCode.Usage, "--rate")]
    [InlineData("limiter status work --broker amqp://127.0.0.1:1", ExitCode.Failed, "127.0.0.1:1")]
    public async Task Says_what_is_wrong_in_one_line(string line, int exitCode, string named)
    {
        var run = await RunAsync(await broker.CreateVirtualHostAsync(), line.Split(' '));
        run.ExitCode.ShouldBe(exitCode, run.Error);
        run.Error.ShouldContain(named);
        run.Output.ShouldNotContain("set by an operator");
    }

    [Fact]
    public async Task A_point_without_a_limit_is_no_finding_and_may_be_set_in_advance()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await raw.DeclareQueueAsync("free");

        var status = await CommandLineRun.RunAsync(address, null, "limiter status free");
        status.ExitCode.ShouldBe(ExitCode.Done, status.Error);
        status.Output.ShouldContain("free: no release queue, so no limit");

        var rate = await CommandLineRun.RunAsync(address, null, "limiter rate free 5 --json");
        rate.ExitCode.ShouldBe(ExitCode.Done, rate.Error);
        rate.Error.ShouldContain("warning: found no release queue for 'free'");
        (await new LimiterControl(raw.Connection).ReadAsync("free")).Setting.PerSecond.ShouldBe(5);
    }

    [Fact]
    public async Task A_queue_that_does_not_exist_is_wrong_usage_and_nothing_is_set()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        foreach (var command in new[] { "pause tpyo", "resume tpyo", "rate tpyo 5", "rate tpyo --clear", "status tpyo" })
        {
            var run = await CommandLineRun.RunAsync(address, null, $"limiter {command}");
            run.ExitCode.ShouldBe(ExitCode.Usage, command);
            run.Error.ShouldContain("Found no queue 'tpyo', wanted the work queue of a retry point. Check the name and the virtual host");
            run.Output.ShouldBeEmpty();
        }

        (await new LimiterControl(raw.Connection).ReadAsync("tpyo")).Setting.Version.ShouldBe(0);

        // what was set while the queue was there can be taken back after it is gone
        await raw.DeclareQueueAsync("gone");
        (await CommandLineRun.RunAsync(address, null, "limiter pause gone")).ExitCode.ShouldBe(ExitCode.Done);
        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync("gone");
        }

        (await CommandLineRun.RunAsync(address, null, "limiter rate gone --clear")).ExitCode.ShouldBe(ExitCode.Done);
        (await new LimiterControl(raw.Connection).ReadAsync("gone")).Setting.Paused.ShouldBeFalse();
    }

    // what an instance says of itself comes a moment after it
    private static async Task<string> WaitForStatusAsync(Uri address, string wanted)
    {
        var output = string.Empty;
        await Eventually.TrueAsync(
            async () => (output = (await CommandLineRun.RunAsync(address, null, "limiter status work")).Output).Contains(wanted, StringComparison.Ordinal),
            Deadline,
            () => output);
        return output;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, params string[] arguments)
    {
        using var process = Start(address, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Deadline);
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(Uri address, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            ArgumentList = { typeof(RetryCtl).Assembly.Location },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            Environment = { ["RETRY_BROKER"] = address.AbsoluteUri },
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}
