using System.Globalization;
using System.Text;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Strategies;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Strategies;

/// <summary><c>retryctl policy</c>: how messages are retried is changed while their services run.</summary>
[Collection(OperatorBroker.Name)]
public sealed class PolicyTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Operators = 8;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // on every instance within this time
    private static readonly TimeSpan Effective = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Ten_changes_under_load_hold_on_three_instances_for_each_failure_after_them()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var one = await StartAsync(address);
        await using var two = await StartAsync(address);
        await using var three = await StartAsync(address);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(one, stop.Token);
        var policies = await ChangeTenTimesAsync(address);
        await stop.CancelAsync();
        await sending;
        var parked = await ParkedAsync(address);
        output.WriteLine($"{parked.Count} parked, with {parked.Sum(message => message.Count)} attempts");
        parked.Count.ShouldBeGreaterThan(200);
        WereInForce(parked, policies, isLastForAll: true);

        // unambiguous ones are among them: each policy but the code's has parked some
        policies.Skip(1).Select(policy => policy.Retries + 1).Distinct().ShouldBeSubsetOf(parked.Select(message => message.Count));
    }

    /// <summary>It knows no retry budget, so it does not follow a document with one, and goes on by the one before.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public async Task An_older_build_beside_newer_ones_follows_what_it_understands_and_what_it_does_not_is_said()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var build = await OlderBuild.CreateAsync();
        await using var one = await StartAsync(address, isolated: true);
        await using var two = await StartAsync(address, isolated: true);
        await build.StartAsync(address);
        (await RunAsync(address, "limiter rate payments 1000")).ExitCode.ShouldBe(ExitCode.Done);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(one, stop.Token);
        var policies = await ChangeTenTimesAsync(address);

        var set = await RunAsync(address, "policy set payments --retries 0 --retry-budget 10 --retry-budget-floor 1000 --json");
        set.ExitCode.ShouldBe(ExitCode.Finding, set.Output + set.Error);
        policies.Add(new(Read(set.Output).GetProperty("set").GetProperty("at").GetDateTimeOffset(), 0, TimeSpan.Zero));
        await Scenario.PauseAsync(TimeSpan.FromSeconds(10));
        var troubles = (await RunAsync(address, "nodes --json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => Read(line).GetProperty("points")[0]).Where(point => point.TryGetProperty("policyTrouble", out _)).ToList();
        troubles.ShouldHaveSingleItem().GetProperty("policyTrouble").GetString()!.ShouldContain("RetryBudget");
        await stop.CancelAsync();
        await sending;

        var parked = await ParkedAsync(address);
        output.WriteLine($"{parked.Count} parked, with {parked.Sum(message => message.Count)} attempts");
        WereInForce(parked, policies, isLastForAll: false);
        var afterwards = parked.Where(message => message[0] > policies[^1].From + Effective).ToList();
        output.WriteLine($"{afterwards.Count} of them since the last change, {afterwards.Count(message => message.Count > 1)} with more attempts than it says");
        afterwards.ShouldContain(message => message.Count == 1);
        afterwards.ShouldContain(message => message.Count > 1, "the older one retries as before");
    }

    [Fact]
    public async Task What_is_set_is_shown_with_its_origin_and_holds_over_a_restart_until_it_is_cleared()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using (await StartAsync(address))
        {
            (await RunAsync(address, "policy show payments")).Output.ShouldContain("Operators have set nothing.");
            (await RunAsync(address, "policy set payments --retries 4")).ExitCode.ShouldBe(ExitCode.Done);
            var set = await RunAsync(address, "policy set payments --delay 200ms --why gateway-is-slow");
            set.ExitCode.ShouldBe(ExitCode.Done, set.Output + set.Error);
            set.Output.ShouldContain("Version 2: Delay 200ms, Retries 4, by ");
            set.Output.ShouldContain("Why: gateway-is-slow");
            set.Output.ShouldContain("Before it, version 1: Retries 4, by ");
            set.Output.ShouldContain("Applied by 1 of 1 instance.");
        }

        await using var again = await StartAsync(address);
        await again.Bus.Publish(new Charge());
        (await ParkedAsync(address)).ShouldHaveSingleItem().Count.ShouldBe(5);
        var shown = Read((await RunAsync(address, "policy show payments --json")).Output);
        Setting(shown, "Retries").ShouldBe(("4", "operator"));
        Setting(shown, "Policy").ShouldBe(("Fixed", "code"));
        Setting(shown, "ValidFor").ShouldBe(("7d", "default"));

        (await RunAsync(address, "policy clear payments --why over")).ExitCode.ShouldBe(ExitCode.Done);
        var cleared = Read((await RunAsync(address, "policy show payments --json")).Output);
        Setting(cleared, "Retries").ShouldBe(("1", "code"));
        cleared.GetProperty("before").GetProperty("settings").GetProperty("Retries").GetString().ShouldBe("4");
    }

    [Fact]
    public async Task A_document_that_an_instance_does_not_understand_changes_nothing_and_is_said()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address);
        (await RunAsync(address, "policy set payments --retries 0")).ExitCode.ShouldBe(ExitCode.Done);

        // as a later version of retryctl might write it
        await using (var connection = await BrokerFixture.ConnectAsync(address))
        {
            var log = await ControlLog.OpenAsync(new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, TimeProvider.System), declare: false, _ => { }, () => { }, default);
            await using var ends = log;
            var body = Encoding.UTF8.GetBytes("""{"point":"payments","settings":{"Retries":3,"Mood":"good"}}""");
            (await log.AppendAsync(new ControlRecord(PolicyDocument.Kind, "payments", 2, body) { By = "somebody" }, default)).ShouldBeTrue();
        }

        var shown = (ExitCode: ExitCode.Done, Output: string.Empty, Error: string.Empty);
        await Eventually.TrueAsync(async () => (shown = await RunAsync(address, "policy show payments")).Output.Contains("Mood", StringComparison.Ordinal), Deadline, () => shown.Output);
        shown.ExitCode.ShouldBe(ExitCode.Finding);
        shown.Output.ShouldContain("Version 2 of the policy is not applied, and version 1 still holds");
        var health = await service.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(registration => registration.Name == "gradient-retry");
        health.Entries["gradient-retry"].Description!.ShouldContain("Mood");
        Read((await RunAsync(address, "nodes --json")).Output).GetProperty("points")[0].GetProperty("policyTrouble").GetString()!.ShouldContain("Mood");
        await service.Bus.Publish(new Charge());
        (await ParkedAsync(address)).ShouldHaveSingleItem().Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("--limit 5")]
    [InlineData("--retry-budget 0.2")]
    public async Task A_limit_or_a_budget_needs_a_release_queue_and_wrong_settings_change_nothing(string held)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address);

        var limit = await RunAsync(address, $"policy set payments {held}");
        (limit.ExitCode, limit.Output).ShouldBe((ExitCode.Failed, string.Empty));
        limit.Error.ShouldContain("Run 'retryctl topology apply --isolated payments'");
        (await RunAsync(address, "topology apply --isolated payments")).ExitCode.ShouldBe(ExitCode.Done);
        (await RunAsync(address, $"policy set payments {held}")).Error.ShouldContain("past the release queue");
        var wrong = await RunAsync(address, "policy set payments --retries many --max 1s --first 5s");
        wrong.ExitCode.ShouldBe(ExitCode.Usage);
        wrong.Error.ShouldContain("Retries: found 'many'");
        wrong.Error.ShouldContain("Max: found 1s, wanted at least First, 5s");
        (await RunAsync(address, "policy show payments")).Output.ShouldContain("Operators have set nothing.");
    }

    [Fact]
    public async Task A_whole_point_is_paused_and_switched_off_and_on_while_it_runs()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var service = await StartAsync(address, isolated: true);
        await RunAsync(address, "limiter rate payments 1000");

        (await RunAsync(address, "policy set payments --switch Paused --why upgrade")).ExitCode.ShouldBe(ExitCode.Done);
        await service.Bus.Publish(new Charge());
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments.release") == 1, Deadline);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(2));
        (await raw.CountAsync("payments.parked")).ShouldBe(0u, "its second attempt waits");

        (await RunAsync(address, "policy set payments --switch Off")).ExitCode.ShouldBe(ExitCode.Done);
        await service.Bus.Publish(new Charge());
        // what was paused goes on, and fails as well
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments.parked") == 2, Deadline);
        var parked = await RunAsync(address, "parked list payments --json");
        parked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Read(line).GetProperty("reason").GetString()).ShouldBe(["SwitchedOff", "SwitchedOff"]);

        (await RunAsync(address, "policy set payments --switch On")).ExitCode.ShouldBe(ExitCode.Done);
        await service.Bus.Publish(new Charge());
        await Eventually.TrueAsync(
            async () => (await RunAsync(address, "parked list payments --json")).Output.Contains("\"Exhausted\"", StringComparison.Ordinal),
            Deadline,
            every: TimeSpan.FromSeconds(1));
    }

    /// <summary>Each names the version that it has read, so of those that have read the same one is taken.</summary>
    [Theory]
    [InlineData("policy set payments --retries {0}", "policy show payments --json", "set")]
    [InlineData("breaker open payments --why {0}", "breaker status payments --json", null)]
    [InlineData("limiter rate payments {0}", "limiter status payments --json", "setting")]
    public async Task Of_operators_at_once_each_is_told_what_became_of_its_word_and_the_last_that_was_taken_holds(string sets, string shows, string? within)
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var service = await StartAsync(address, isolated: true);

        var typed = await Task.WhenAll(Enumerable.Range(11, Operators).Select(number => RunAsync(address, string.Format(CultureInfo.InvariantCulture, sets, number))));

        var taken = typed.Count(run => run.ExitCode is ExitCode.Done or ExitCode.Finding);
        taken.ShouldBeGreaterThan(0);
        typed.Where(run => run.ExitCode == ExitCode.Failed).ShouldAllBe(run => run.Error.Contains("at the same time", StringComparison.Ordinal));
        typed.Count(run => run.ExitCode == ExitCode.Failed).ShouldBe(Operators - taken);
        var shown = Read((await RunAsync(address, shows)).Output);
        (within is null ? shown : shown.GetProperty(within)).GetProperty("version").GetInt64().ShouldBe(taken, "none was taken and then written over unread");
    }

    [Fact]
    public async Task A_control_log_that_is_deleted_forgets_nothing()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var service = await StartAsync(address);
        (await RunAsync(address, "policy set payments --retries 0")).ExitCode.ShouldBe(ExitCode.Done);

        await using (var channel = await raw.Connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync("retry.v1.control", ifUnused: false, ifEmpty: false);
        }

        await service.Bus.Publish(new Charge());
        (await ParkedAsync(address)).ShouldHaveSingleItem().Count.ShouldBe(1);
        // written again, for those that start
        var shown = string.Empty;
        await Eventually.TrueAsync(
            async () => (shown = (await RunAsync(address, "policy show payments")).Output).Contains("Version 1: Retries 0", StringComparison.Ordinal),
            Deadline,
            () => shown,
            every: TimeSpan.FromSeconds(1));
    }

    private async Task<List<Policy>> ChangeTenTimesAsync(Uri address)
    {
        // what the code says
        List<Policy> policies = [new(DateTimeOffset.MinValue, 1, TimeSpan.FromMilliseconds(300))];
        for (var change = 0; change < 10; change++)
        {
            var (retries, delay) = (new[] { 4, 0, 2, 6, 3 }[change % 5], change % 2 == 0 ? 200 : 700);
            var run = await RunAsync(address, $"policy set payments --policy Fixed --retries {retries} --delay {delay}ms --why change-{change} --json");
            run.ExitCode.ShouldBe(ExitCode.Done, run.Output + run.Error);
            var document = Read(run.Output);
            document.GetProperty("nodes").GetInt32().ShouldBe(3);
            policies.Add(new(document.GetProperty("set").GetProperty("at").GetDateTimeOffset(), retries, TimeSpan.FromMilliseconds(delay)));
            await Scenario.PauseAsync(TimeSpan.FromSeconds(3));
        }

        return policies;
    }

    // each failure was followed by what a policy says that was in force then; around a change that may be either
    private static void WereInForce(List<List<DateTimeOffset>> parked, List<Policy> policies, bool isLastForAll)
    {
        foreach (var failures in parked)
        {
            for (var number = 1; number <= failures.Count; number++)
            {
                var at = failures[number - 1];
                var inForce = policies.Where((policy, index) => policy.From <= at && IsNotOver(index, at)).ToList();
                if (number == failures.Count)
                {
                    inForce.ShouldContain(policy => number > policy.Retries, $"parked after attempt {number} at {at:O}, but in force was {string.Join(" or ", inForce)}");
                }
                else
                {
                    var next = failures[number] - at;
                    inForce.ShouldContain(policy => number <= policy.Retries && next >= policy.Delay, $"attempt {number} at {at:O}, the next after {next}, but in force was {string.Join(" or ", inForce)}");
                }
            }
        }

        bool IsNotOver(int index, DateTimeOffset at) =>
            index + 1 == policies.Count || at < policies[index + 1].From + Effective || (index + 2 == policies.Count && !isLastForAll);
    }

    private static (string? Value, string? From) Setting(JsonElement document, string name) => document.GetProperty("settings").EnumerateArray()
        .Where(setting => setting.GetProperty("name").GetString() == name)
        .Select(setting => (setting.GetProperty("value").GetString(), setting.GetProperty("from").GetString()))
        .Single();

    private static Task<RetryService> StartAsync(Uri address, bool isolated = false) => RetryService.StartAsync(address, (context, bus) => bus.ReceiveEndpoint("payments", endpoint =>
    {
        endpoint.UseGradientRetry(context, retry =>
        {
            retry.Fixed(TimeSpan.FromMilliseconds(300)).Retries(1);
            retry.Isolated(isolated);
        });
        endpoint.Handler<Charge>(_ => throw new InvalidOperationException("the gateway is away"));
    }));

    private static async Task SendAsync(RetryService service, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await service.Bus.Publish(new Charge(), CancellationToken.None);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
        }
    }

    // of each parked message the moments of its failures
    private async Task<List<List<DateTimeOffset>>> ParkedAsync(Uri address)
    {
        await using var raw = await RawClient.ConnectAsync(address);
        uint? parked = 0;
        await Eventually.TrueAsync(async () => (parked = await raw.CountAsync("payments.parked")) > 0, Deadline);
        // no more come
        await Eventually.TrueAsync(async () => parked == (parked = await raw.CountAsync("payments.parked")), Deadline, every: TimeSpan.FromSeconds(3));
        var run = await RunAsync(address, "parked list payments --json");
        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        var found = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Read).ToList();
        found.ShouldAllBe(message => message.GetProperty("reason").GetString() == "Exhausted");
        return [.. found.Select(message => message.GetProperty("history").EnumerateArray().Select(attempt => attempt.GetProperty("failedAt").GetDateTimeOffset()).ToList())];
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private static JsonElement Read(string output)
    {
        using var document = JsonDocument.Parse(output.Split('\n')[0]);
        return document.RootElement.Clone();
    }

    private sealed record Policy(DateTimeOffset From, int Retries, TimeSpan Delay);

    public sealed record Charge;
}
