using System.Text;
using Microsoft.Extensions.Configuration;
using Retry.Messaging.Configuration;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

public class GradientRetryConfigurationTests
{
    [Fact]
    public void A_section_that_is_not_there_says_nothing()
    {
        var configuration = GradientRetryConfiguration.Read(new ConfigurationBuilder().Build().GetSection("GradientRetry"));

        configuration.Findings.ShouldBeEmpty();
        configuration.Endpoints.ShouldBeEmpty();
        configuration.ManageTopology.ShouldBeNull();
        RetryRules.Compile(configuration.SettingsFor("payments")).ToString().ShouldBe(RetryRules.Default.ToString());
    }

    [Fact]
    public void A_queue_with_a_colon_in_its_name_is_named_by_a_value()
    {
        var configuration = Read("""{ "Endpoints": { "orders": { "Queue": "shop:orders", "Policy": "Fixed", "Delay": "30s" }, "mails": { "Retries": 1 } } }""");

        configuration.Findings.ShouldBeEmpty();
        configuration.Endpoints.Keys.ShouldBe(["shop:orders", "mails"], ignoreOrder: true);
        RetryRules.Compile(configuration.SettingsFor("shop:orders")).Policy.ToString().ShouldStartWith("Fixed(30s)");
        Read("""{ "Endpoints": { "orders": { "Queue": "mails", "Retries": 2 }, "mails": { "Retries": 1 } } }""")
            .Findings.ShouldHaveSingleItem().Message.ShouldStartWith("found settings of the queue 'mails' a second time");
        Read("""{ "Defaults": { "Queue": "mails" } }""").Findings.ShouldHaveSingleItem().Message.ShouldStartWith("unknown key");
    }

    [Fact]
    public void Every_key_is_read()
    {
        var configuration = Read("""
            {
              "ManageTopology": "verify",
              "ConsumerTimeout": "00:05:00",
              "Management": "http://rabbit:15672",
              "ForwardLostFor": "2h",
              "Build": "commit 4711",
              "Defaults": { "Retries": "UntilExpired" },
              "Endpoints": {
                "payments": {
                  "Policy": "Exponential", "First": "00:00:05", "Factor": 1.5, "Max": "1h30m", "Retries": 7, "Jitter": "equal",
                  "ValidFor": "1.00:00:00", "AttemptTimeout": "10s", "Tenant": "tenant", "Isolated": true,
                  "Limit": { "PerSecond": 0.5, "Burst": 20 },
                  "Fail": [ "System.IO.FileNotFoundException" ],
                  "Done": [ "System.TimeoutException" ],
                  "Handle": [ "System.IO.IOException" ],
                  "Ignore": [ "System.Net.Http.HttpRequestException, System.Net.Http" ]
                },
                "linear": { "Policy": "Linear", "First": "1s", "Increment": "2s" },
                "fixed": { "Policy": "Fixed", "Delay": "3s" },
                "intervals": { "Policy": "Intervals", "Intervals": [ "1s", "00:02:00" ] },
                "immediate": { "Policy": "Immediate", "Retries": 2 }
              }
            }
            """);

        configuration.Findings.ShouldBeEmpty();
        configuration.ManageTopology.ShouldBe(TopologyManagement.Verify);
        configuration.Bus.ShouldBe(new BusSettings { ConsumerTimeout = TimeSpan.FromMinutes(5), Management = "http://rabbit:15672", ForwardLostFor = TimeSpan.FromHours(2), Build = "commit 4711" });
        var rules = RetryRules.Compile(configuration.SettingsFor("payments"));
        rules.ToString().ShouldBe("Exponential(first: 5s, factor: 1.5, max: 1h30m).Retries(7).Jitter(Equal), valid for 1d");
        rules.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        rules.TenantHeader.ShouldBe("tenant");
        rules.Isolated.ShouldBeTrue();
        rules.Limit.ShouldBe(new RedeliveryLimit(0.5, 20));
        rules.Classify(new FileNotFoundException()).ShouldBe(Outcome.Fail);
        rules.Classify(new TimeoutException()).ShouldBe(Outcome.Ok);
        rules.Classify(new IOException()).ShouldBe(Outcome.Error);
        rules.Classify(new HttpRequestException()).ShouldBe(Outcome.Fail);
        rules.Classify(new InvalidOperationException()).ShouldBe(Outcome.Fail);

        Policy(configuration, "linear").ShouldBe("Linear(first: 1s, increment: 2s, max: 1h).UntilExpired()");
        Policy(configuration, "fixed").ShouldBe("Fixed(3s).UntilExpired()");
        Policy(configuration, "intervals").ShouldBe("Intervals(1s, 2m).Retries(2)");
        Policy(configuration, "immediate").ShouldBe("Immediate.Retries(2)");
        Policy(configuration, "others").ShouldBe("Exponential(first: 5s, factor: 3, max: 1h).UntilExpired().Jitter(Full)");
    }

    [Fact]
    public void The_order_of_precedence_is_endpoint_code_definition_bus_defaults()
    {
        var configuration = Read("""
            { "Defaults": { "Retries": 1, "ValidFor": "1h", "Tenant": "t", "AttemptTimeout": "1s", "Jitter": "Full" }, "Endpoints": { "payments": { "Retries": 5 } } }
            """);

        var rules = RetryRules.Compile(configuration.SettingsFor(
            "Payments",
            code: new RetryPointSettings { ValidFor = TimeSpan.FromHours(4), Policy = new() { Retries = new(4) } },
            definition: new RetryPointSettings { ValidFor = TimeSpan.FromHours(3), Tenant = "definition", Policy = new() { Retries = new(3) } },
            busWide: new RetryPointSettings { ValidFor = TimeSpan.FromHours(2), Tenant = "bus", AttemptTimeout = TimeSpan.FromSeconds(2), Policy = new() { Retries = new(2) } }));

        rules.Policy.MaxRetries.ShouldBe(5);
        rules.ValidForMessage().ShouldBe(TimeSpan.FromHours(4));
        rules.TenantHeader.ShouldBe("definition");
        rules.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData("""{ "Endpoints": { "payments": { "Frist": "5s" } } }""", "GradientRetry:Endpoints:payments:Frist: unknown key; known are Policy, First, Factor, Increment, Delay, Intervals, Max, Retries, Jitter, ValidFor, Fail, Done, Handle, Ignore, AttemptTimeout, Tenant, Limit, Isolated, ReleasableWithin, DeliveriesPerSecond, DeliveryBurst, RetryBudget, RetryBudgetFloor, Breaker, BreakerInterval, Queue, did you mean 'First'?")]
    [InlineData("""{ "Endpoint": {} , "x": 1 }""", "GradientRetry:Endpoint: unknown key; known are ManageTopology, ConsumerTimeout, Management, ForwardLostFor, Build, Defaults, Endpoints, did you mean 'Endpoints'?|GradientRetry:x: unknown key; known are ManageTopology, ConsumerTimeout, Management, ForwardLostFor, Build, Defaults, Endpoints")]
    [InlineData("""{ "Defaults": { "Größe": 1 } }""", "GradientRetry:Defaults:Größe: unknown key")]
    [InlineData("""{ "Defaults": "Exponential" }""", "GradientRetry:Defaults: found the value 'Exponential', wanted keys: Policy, First")]
    [InlineData("""{ "Defaults": { "Limit": { "PerSec": 1 } } }""", "GradientRetry:Defaults:Limit:PerSec: unknown key; known are PerSecond, Burst")]
    [InlineData("""{ "Defaults": { "Limit": 200 } }""", "GradientRetry:Defaults:Limit: found the value '200', wanted keys: PerSecond, Burst")]
    [InlineData("""{ "ManageTopology": "Always" }""", "GradientRetry:ManageTopology: found 'Always', wanted one of OnStart, Verify, Never")]
    [InlineData("""{ "ConsumerTimeout": "900ms", "ForwardLostFor": "-00:00:01" }""", "GradientRetry:ConsumerTimeout: found 900ms, wanted 1s to 30d|GradientRetry:ForwardLostFor: found -1s, wanted 0s (never) to 365d")]
    [InlineData("""{ "Build": "a\nb" }""", "GradientRetry:Build: found a name of 3 characters or with a line break in it, wanted 1 to 64 characters on one line")]
    [InlineData("""{ "ConsumerTimeout": "31d", "ForwardLostFor": "366d" }""", "GradientRetry:ConsumerTimeout: found 31d, wanted 1s to 30d|GradientRetry:ForwardLostFor: found 366d, wanted 0s (never) to 365d")]
    [InlineData("""{ "Management": "rabbit:15672" }""", "GradientRetry:Management: found no http or https address without a user")]
    [InlineData("""{ "Management": "http://guest:secret@rabbit:15672" }""", "GradientRetry:Management: found no http or https address without a user")]
    [InlineData("""{ "Defaults": { "Policy": "Exponental" } }""", "GradientRetry:Defaults:Policy: found 'Exponental', wanted one of Exponential, Linear, Fixed, Intervals, Immediate, did you mean 'Exponential'?")]
    [InlineData("""{ "Defaults": { "Policy": "Custom" } }""", "GradientRetry:Defaults:Policy: found 'Custom', wanted one of")]
    [InlineData("""{ "Defaults": { "Policy": 1 } }""", "GradientRetry:Defaults:Policy: found '1', wanted one of")]
    [InlineData("""{ "Defaults": { "First": "24:00:00" } }""", "GradientRetry:Defaults:First: found '24:00:00', wanted a duration such as")]
    [InlineData("""{ "Defaults": { "First": "5" } }""", "GradientRetry:Defaults:First: found '5', wanted a duration such as")]
    [InlineData("""{ "Defaults": { "First": "" } }""", "GradientRetry:Defaults:First: found nothing, wanted a value")]
    [InlineData("""{ "Defaults": { "First": ["5s"] } }""", "GradientRetry:Defaults:First: found a section or list, wanted one value")]
    [InlineData("""{ "Defaults": { "First": "-00:00:05" } }""", "GradientRetry:Defaults:First: found -5s, wanted a duration from 0s")]
    [InlineData("""{ "Defaults": { "Factor": "3,5" } }""", "GradientRetry:Defaults:Factor: found '3,5', wanted a number")]
    [InlineData("""{ "Defaults": { "Factor": 0.5 } }""", "GradientRetry:Defaults:Factor: found 0.5, wanted a finite number of 1 or more")]
    [InlineData("""{ "Defaults": { "Retries": "forever" } }""", "GradientRetry:Defaults:Retries: found 'forever', wanted a number such as 8, or UntilExpired")]
    [InlineData("""{ "Defaults": { "Retries": 1.5 } }""", "GradientRetry:Defaults:Retries: found '1.5', wanted a number")]
    [InlineData("""{ "Defaults": { "Retries": -1 } }""", "GradientRetry:Defaults:Retries: found -1, wanted 0 (none)")]
    [InlineData("""{ "Defaults": { "Retries": 99999999999 } }""", "GradientRetry:Defaults:Retries: found '99999999999', wanted a number")]
    [InlineData("""{ "Defaults": { "Isolated": "yes" } }""", "GradientRetry:Defaults:Isolated: found 'yes', wanted true or false")]
    [InlineData("""{ "Defaults": { "Limit": { "PerSecond": 0, "Burst": 1.5 } } }""", "GradientRetry:Defaults:Limit:Burst: found '1.5', wanted a whole number|GradientRetry:Defaults:Limit:PerSecond: found 0, wanted 1/3600")]
    [InlineData("""{ "Defaults": { "Intervals": "30s" } }""", "GradientRetry:Defaults:Intervals: found '30s', wanted a list such as [\"30s\", \"2m\"]")]
    [InlineData("""{ "Defaults": { "Intervals": [] } }""", "GradientRetry:Defaults:Intervals: found none, wanted at least one")]
    [InlineData("""{ "Defaults": { "Intervals": ["1s", "x"] } }""", "GradientRetry:Defaults:Intervals:1: found 'x', wanted a duration")]
    [InlineData("""{ "Defaults": { "Intervals": { "first": "1s" } } }""", "GradientRetry:Defaults:Intervals:first: unknown key; wanted a list|GradientRetry:Defaults:Intervals: found none")]
    [InlineData("""{ "Defaults": { "Fail": ["Shop.LedgerLockedException"] } }""", "GradientRetry:Defaults:Fail:0: found 'Shop.LedgerLockedException', wanted the full name of an exception type; where its assembly")]
    [InlineData("""{ "Defaults": { "Fail": ["System.FileNotFoundException"] } }""", "GradientRetry:Defaults:Fail:0: found 'System.FileNotFoundException', wanted the full name of an exception type, did you mean 'System.IO.FileNotFoundException'?")]
    [InlineData("""{ "Defaults": { "Fail": ["System.String"] } }""", "GradientRetry:Defaults:Fail:0: found 'System.String', which is not an exception")]
    [InlineData("""{ "Defaults": { "Fail": ["No.Such, No.Assembly", "[[", ","] } }""", "GradientRetry:Defaults:Fail:0: found 'No.Such, No.Assembly'|GradientRetry:Defaults:Fail:1: found '[['|GradientRetry:Defaults:Fail:2: found ','")]
    [InlineData("""{ "Defaults": { "Fail": "System.TimeoutException" } }""", "GradientRetry:Defaults:Fail: found 'System.TimeoutException', wanted a list")]
    [InlineData("""{ "Defaults": { "Done": ["System.TimeoutException"], "Fail": ["System.TimeoutException"] } }""", "GradientRetry:Defaults:Fail:0: found System.TimeoutException here and in Done, wanted once")]
    public void A_mistake_is_found_with_its_path(string json, string expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        var findings = Read(json).Findings;
        var wanted = expected.Split('|');

        findings.Count.ShouldBe(wanted.Length, string.Join('\n', findings));
        for (var i = 0; i < wanted.Length; i++)
        {
            findings[i].ToString().ShouldStartWith(wanted[i]);
            findings[i].Severity.ShouldBe(FindingSeverity.Error);
        }
    }

    [Fact]
    public void All_mistakes_are_found_at_once() =>
        Read("""
            { "ManageTopology": "x", "Defaults": { "Frist": 1, "Factor": 0 }, "Endpoints": { "a": { "Max": "x" }, "b": { "Retries": -1 } } }
            """).Findings.Count.ShouldBe(5);

    [Fact]
    public void Null_and_empty_sections_and_lists_say_nothing()
    {
        var configuration = Read("""{ "ManageTopology": null, "Defaults": { "First": null, "Fail": [], "Limit": {} }, "Endpoints": { "payments": {}, "orders": null } }""");

        configuration.Findings.ShouldBeEmpty();
        configuration.Defaults.Policy.First.ShouldBeNull();
    }

    [Fact]
    public void Keys_have_no_case_so_environment_variables_can_set_them()
    {
        var configuration = GradientRetryConfiguration.Read(new ConfigurationBuilder()
            .AddInMemoryCollection([new("GRADIENTRETRY:ENDPOINTS:payments:RETRIES", "3"), new("GradientRetry:Endpoints:payments:Fail:0", "System.TimeoutException")])
            .Build()
            .GetSection(GradientRetryConfiguration.SectionName));

        configuration.Findings.ShouldBeEmpty();
        RetryRules.Compile(configuration.SettingsFor("payments")).Policy.MaxRetries.ShouldBe(3);
    }

    [Fact]
    public void A_nested_exception_type_is_found_by_its_full_name() =>
        Read($$"""{ "Defaults": { "Fail": ["{{typeof(NestedException).FullName}}", "{{typeof(TimeoutException).AssemblyQualifiedName}}"] } }""").Findings.ShouldBeEmpty();

    private static string Policy(GradientRetryConfiguration configuration, string endpoint) =>
        RetryRules.Compile(configuration.SettingsFor(endpoint)).Policy.ToString();

    private static GradientRetryConfiguration Read(string json)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes($$"""{ "GradientRetry": {{json}} }"""));
        return GradientRetryConfiguration.Read(new ConfigurationBuilder().AddJsonStream(stream).Build().GetSection(GradientRetryConfiguration.SectionName));
    }

    private sealed class NestedException : Exception;
}
