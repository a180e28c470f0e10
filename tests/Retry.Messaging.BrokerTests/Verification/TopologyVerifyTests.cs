using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Topology;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Verification;

[Collection(OperatorBroker.Name)]
public sealed class TopologyVerifyTests(BrokerFixture broker)
{
    private static readonly Dictionary<string, object?> Quorum = new() { ["x-queue-type"] = "quorum" };

    private Uri Management => broker.Broker.ManagementUri!;

    /// <summary>One virtual host, since 57 quorum queues take longer than the tests: healthy, spoilt, mended, spoilt otherwise.</summary>
    [Fact]
    public async Task Is_silent_on_a_healthy_broker_and_names_whatever_somebody_does_to_it()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        using var management = new RawManagement(broker.Broker, address);

        var before = await VerifyAsync(address);
        before.ExitCode.ShouldBe(ExitCode.Finding);
        before.Findings.Count(finding => finding.GetProperty("kind").GetString() == "Missing").ShouldBe(71);

        await channel.QueueDeclareAsync("eu.Orders", durable: true, exclusive: false, autoDelete: false, Quorum);
        await channel.QueueDeclareAsync("invoices", durable: true, exclusive: false, autoDelete: false);
        var apply = await CommandLineRun.RunAsync(address, Management, "topology apply --point eu.Orders invoices");
        apply.ExitCode.ShouldBe(ExitCode.Done, apply.Output + apply.Error);
        apply.Output.ShouldContain("Wrote policy 'retry.parking:eu.Orders'");
        var again = await CommandLineRun.RunAsync(address, Management, "topology apply --point eu.Orders invoices");
        again.Output.ShouldContain("Queue 'invoices' has all that the policy would set.");

        foreach (var options in (string[])["", " --all", " --point eu.Orders", " --json"])
        {
            var healthy = await CommandLineRun.RunAsync(address, Management, "topology verify" + options);
            healthy.ExitCode.ShouldBe(ExitCode.Done, healthy.Output + healthy.Error);
            healthy.Error.ShouldBeEmpty();
            if (options != " --json")
            {
                healthy.Output.Trim().ShouldBe($"As planned: the ladder and {(options.EndsWith("eu.Orders", StringComparison.Ordinal) ? "1 retry point" : "2 retry points")}.");
            }
        }

        await management.SetPolicyAsync("everything", ".*", new Dictionary<string, object> { ["message-ttl"] = 200 }, priority: 5);
        var policy = await VerifyAsync(address);
        policy.ShouldName("queue 'retry.v1.30s'", "message-ttl 200 from policy 'everything', which cuts the delay short");
        policy.ShouldName("queue 'eu.Orders'", "dead-letter-exchange not set");
        var merged = await CommandLineRun.RunAsync(address, Management, "topology apply --point eu.Orders");
        merged.ExitCode.ShouldBe(ExitCode.Finding);
        // one policy is one cause: of the ladder's queues three are named
        var told = await CommandLineRun.RunAsync(address, Management, "topology verify");
        told.Output.Split('\n').Count(line => line.Contains("cuts the delay short", StringComparison.Ordinal)).ShouldBe(1, told.Output);
        told.Output.ShouldContain($"{policy.Findings.Count} findings.");
        merged.Output.ShouldContain("Policy 'everything' applies to queue 'eu.Orders' already");
        merged.Output.ShouldContain("--priority 6");
        merged.Output.ShouldContain("\"message-ttl\":200");
        (await management.GetAsync("policies/VHOST")).ShouldNotContain("\"priority\":6");
        await management.DeletePolicyAsync("everything");

        await management.SetPolicyAsync("operators", "^retry", new Dictionary<string, object> { ["max-length"] = 10, ["expires"] = 3_600_000 }, isOperators: true);
        var operators = await VerifyAsync(address);
        operators.ShouldName("queue 'retry.v1.30s'", "max-length 10 from operator policy 'operators'");
        operators.ShouldName("queue 'retry.v1.lost'", "expires 3600000 from operator policy 'operators'");
        await management.DeletePolicyAsync("operators", isOperators: true);

        await channel.QueueBindAsync("invoices", "retry.v1.return", "*.*.*.*.*.*.*.*.eu.Orders");
        await channel.QueueUnbindAsync("retry.v1.30s", "retry.v1.10s", "*.*.*.*.*.3.#");
        await channel.QueueDeleteAsync("retry.v1.5m");
        await channel.QueueDeleteAsync("retry.v1.2h");
        await channel.QueueDeclareAsync("retry.v1.2h", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "classic", ["x-message-ttl"] = 1000 });
        await channel.QueueBindAsync("retry.v1.2h", "retry.v1.h", "*.*.2.#");
        await channel.ExchangeDeleteAsync("retry.parking");
        await channel.ExchangeDeclareAsync("retry.parking", ExchangeType.Fanout, durable: true);
        var spoilt = await VerifyAsync(address);
        spoilt.ShouldName("binding 'retry.v1.return' -> 'invoices'", "the key '*.*.*.*.*.*.*.*.eu.Orders'");
        spoilt.ShouldName("binding 'retry.v1.10s' -> 'retry.v1.30s'", "none");
        spoilt.ShouldName("queue 'retry.v1.5m'", "none");
        spoilt.ShouldName("queue 'retry.v1.2h'", "type classic");
        spoilt.ShouldName("queue 'retry.v1.2h'", "x-message-ttl 1000");
        spoilt.ShouldName("queue 'retry.v1.2h'", "x-dead-letter-strategy not set");
        spoilt.ShouldName("exchange 'retry.parking'", "type fanout");
        spoilt.ShouldName("exchange 'retry.parking'", "alternate-exchange not set");
        var table = await CommandLineRun.RunAsync(address, Management, "topology verify");
        table.Output.ShouldContain("  next step  ");
        table.Output.ShouldContain("findings.");
        (await CommandLineRun.RunAsync(address, Management, "topology apply --all")).Output.ShouldContain(", for 2 retry points; ");
    }

    [Fact]
    public async Task Names_a_destination_that_could_stall_others_and_arguments_in_the_way_of_the_policy()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("full", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 10, ["x-overflow"] = "reject-publish" });
        await channel.QueueDeclareAsync("house", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-dead-letter-exchange"] = "house.dead" });
        var apply = await CommandLineRun.RunAsync(address, Management, "topology apply --point full house");
        apply.ExitCode.ShouldBe(ExitCode.Finding);
        apply.Output.ShouldContain("Wrote policy 'retry.parking:full'");
        apply.Output.ShouldContain("declared with x-dead-letter-exchange 'house.dead'");

        var verified = await VerifyAsync(address, " --point full house");
        verified.Findings.Count.ShouldBe(2);
        verified.ShouldName("queue 'full'", "max-length 10 with overflow reject-publish");
        verified.ShouldName("queue 'house'", "dead-letter-exchange house.dead");
    }

    /// <summary>A finding is worth its next step: after that, verification is silent.</summary>
    [Fact]
    public async Task What_it_says_to_run_when_both_ways_back_are_gone_brings_back_every_point()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("eu.Orders", durable: true, exclusive: false, autoDelete: false, Quorum);
        await channel.QueueDeclareAsync("invoices", durable: true, exclusive: false, autoDelete: false);
        (await CommandLineRun.RunAsync(address, Management, "topology apply --isolated eu.Orders --point invoices")).ExitCode.ShouldBe(ExitCode.Done);
        await channel.ExchangeDeleteAsync("retry.v1.return");
        await channel.ExchangeDeleteAsync("retry.parking");

        var spoilt = await VerifyAsync(address);
        var step = spoilt.Findings.Single(finding => finding.GetProperty("subject").GetString() == "exchange 'retry.v1.return'").GetProperty("nextStep").GetString()!;
        step.ShouldBe("Run 'retryctl topology apply --isolated eu.Orders --point invoices'.");
        (await CommandLineRun.RunAsync(address, Management, step.Split('\'')[1]["retryctl ".Length..])).ExitCode.ShouldBe(ExitCode.Done);
        (await VerifyAsync(address)).Findings.ShouldBeEmpty();
        (await VerifyAsync(address, " --isolated invoices")).ShouldName("queue 'invoices.release'", "none");
    }

    [Fact]
    public async Task What_no_policy_can_set_is_no_success_and_is_named_alike_by_apply_and_verify()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        using var management = new RawManagement(broker.Broker, address);
        await channel.QueueDeclareAsync("tight", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = 5 });
        await channel.QueueDeclareAsync("strict", durable: true, exclusive: false, autoDelete: false, Quorum);
        await management.SetPolicyAsync("house rules", "^strict$", new Dictionary<string, object> { ["delivery-limit"] = 20 }, isOperators: true);
        foreach (var said in (string[])["Wrote policy 'retry.parking:tight'", "found delivery-limit 5, wanted delivery-limit 1000 or more, which no policy can set"])
        {
            var apply = await CommandLineRun.RunAsync(address, Management, "topology apply --point tight strict");
            apply.ExitCode.ShouldBe(ExitCode.Finding, apply.Output);
            apply.Output.ShouldContain(said);
            apply.Output.ShouldContain("own argument x-delivery-limit '5' wins over any policy");
            apply.Output.ShouldContain("Operator policy 'house rules' wins over any policy with a higher delivery-limit");
        }

        var verified = await VerifyAsync(address, " --point tight strict");
        verified.Findings.Count.ShouldBe(2);
        verified.ShouldName("queue 'tight'", "delivery-limit 5");
        verified.ShouldName("queue 'strict'", "delivery-limit 20 from operator policy 'house rules'");
        await management.DeletePolicyAsync("house rules", isOperators: true);
        (await CommandLineRun.RunAsync(address, Management, "topology apply --point strict")).ExitCode.ShouldBe(ExitCode.Done);
    }

    [Fact]
    public async Task A_user_who_may_not_write_policies_is_told_so_with_the_command_for_the_queues_type()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("invoices", durable: true, exclusive: false, autoDelete: false);
        using var management = new RawManagement(broker.Broker, address);
        await management.SetUserAsync("looker", "looks", mayConfigure: ".*", tags: "management");
        try
        {
            var apply = await CommandLineRun.RunAsync(new UriBuilder(address) { UserName = "looker", Password = "looks" }.Uri, Management, "topology apply --point invoices");
            apply.ExitCode.ShouldBe(ExitCode.Finding, apply.Error);
            apply.Output.ShouldContain("Policy 'retry.parking:invoices' for classic queue 'invoices' was not written: user 'looker' lacks the tag policymaker.");
            apply.Output.ShouldContain("""{"dead-letter-exchange":"retry.parking","dead-letter-routing-key":"invoices"}""");
            (apply.Output + apply.Error).ShouldNotContain("delivery-limit");
            (apply.Output + apply.Error).ShouldNotContain("//");
        }
        finally
        {
            await management.DeleteUserAsync("looker");
        }
    }

    [Fact]
    public async Task The_policy_parks_what_the_broker_drops_from_classic_and_quorum_queues()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("eu.Orders", durable: true, exclusive: false, autoDelete: false, Quorum);
        await channel.QueueDeclareAsync("invoices", durable: true, exclusive: false, autoDelete: false);
        await CommandLineRun.RunAsync(address, Management, "topology apply --point eu.Orders invoices");
        foreach (var queue in (string[])["eu.Orders", "invoices"])
        {
            await raw.PublishAsync("", queue, "{}"u8.ToArray(), new BasicProperties { MessageId = "expired", Expiration = "1", Persistent = true });
            await raw.WaitForCountAsync(queue + ".parked", 1, TimeSpan.FromSeconds(20));
            (await CommandLineRun.RunAsync(address, Management, $"parked list {queue}")).Output.ShouldContain("1 message: 1 Expired.");
        }
    }

    [Fact]
    public async Task Without_the_management_API_it_looks_by_AMQP_and_says_what_it_did_not_check()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("orders", durable: true, exclusive: false, autoDelete: false, Quorum);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder.Then(TopologyPlan.Point(RetryPointNames.For("orders"), withRelease: false)));
        await channel.QueueDeleteAsync("retry.v1.30s");
        var nowhere = new Uri("http://127.0.0.1:1");

        var verified = await CommandLineRun.RunAsync(address, nowhere, "topology verify --point orders");
        verified.ExitCode.ShouldBe(ExitCode.Finding);
        verified.Output.ShouldContain("queue 'retry.v1.30s'");
        verified.Output.ShouldContain("1 finding.");
        verified.Output.ShouldContain("Not checked: arguments");
        verified.Output.ShouldContain("Found no management API at http://127.0.0.1:1");

        var apply = await CommandLineRun.RunAsync(address, nowhere, "topology apply --point orders");
        apply.ExitCode.ShouldBe(ExitCode.Finding);
        apply.Output.ShouldContain("rabbitmqctl set_policy --vhost '" + Uri.UnescapeDataString(address.AbsolutePath.Trim('/')) + "'");
        apply.Output.ShouldContain("\"delivery-limit\":1000");
        apply.Output.ShouldContain("Only one policy applies to a queue, so where a queue has one already");
        (await CommandLineRun.RunAsync(address, nowhere, "topology verify --point orders")).Output.ShouldNotContain("finding");
    }

    [Fact]
    public async Task A_user_without_a_tag_is_told_so()
    {
        var address = await broker.CreateVirtualHostAsync();
        var stranger = new UriBuilder(Management) { Path = "/elsewhere" }.Uri;
        var wrongPath = await CommandLineRun.RunAsync(address, stranger, "topology verify");
        wrongPath.ExitCode.ShouldBe(ExitCode.Finding);
        wrongPath.Output.ShouldContain("Not checked");
        wrongPath.Output.ShouldNotContain(broker.Broker.Password + "@");
    }

    private async Task<Verified> VerifyAsync(Uri address, string options = "")
    {
        var run = await CommandLineRun.RunAsync(address, Management, "topology verify --json" + options);
        using var document = JsonDocument.Parse(run.Output);
        document.RootElement.GetProperty("notChecked").GetArrayLength().ShouldBe(0, run.Output);
        return new Verified(run.ExitCode, [.. document.RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.Clone())]);
    }

    private sealed record Verified(int ExitCode, IReadOnlyList<JsonElement> Findings)
    {
        public void ShouldName(string subject, string found)
        {
            ExitCode.ShouldBe(Retry.Messaging.Cli.Hosting.ExitCode.Finding);
            Findings.ShouldContain(
                finding => finding.GetProperty("subject").GetString() == subject && finding.GetProperty("found").GetString()!.Contains(found) && finding.GetProperty("wanted").GetString()!.Length > 0 && finding.GetProperty("nextStep").GetString()!.Length > 0,
                string.Join("\n", Findings.Where(finding => finding.GetProperty("subject").GetString() == subject)));
        }
    }
}
