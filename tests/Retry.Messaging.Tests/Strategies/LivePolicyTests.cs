using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Configuration;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Strategies;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Strategies;

/// <summary>A document of an operator holds from the next failure on; one that cannot be understood changes nothing and is said.</summary>
public sealed class LivePolicyTests
{
    private readonly RetryPoint _point = new("payments", RetryRules.Default);
    private readonly PointHealth _health = new("payments", TimeProvider.System);
    private readonly LivePolicy _policy;
    private int _changes;

    public LivePolicyTests()
    {
        var configuration = GradientRetryConfiguration.Read(null);
        _policy = new LivePolicy(_point, Compile, Compile(null), _health, NullLogger.Instance) { Changed = () => _changes++ };

        CompiledSettings Compile(RetryPointSettings? operators)
        {
            var layers = configuration.LayersFor("payments", operators: operators);
            var merged = RetryPointSettings.Merge(layers.Select(layer => layer.Settings));
            var findings = RetrySettingsValidator.Validate(merged, "payments");
            return new(findings.Any(finding => finding.Severity == FindingSeverity.Error) ? null : RetryRules.Compile(merged), findings, SettingOrigins.Of(layers));
        }
    }

    [Fact]
    public void It_holds_until_it_is_cleared()
    {
        Apply(1, """{"point":"payments","settings":{"Retries":2}}""");
        _point.Rules.Policy.MaxRetries.ShouldBe(2);
        (_policy.Current.Version, _policy.Current.Trouble, _changes).ShouldBe((1, null, 1));

        Apply(2, """{"point":"payments","settings":{}}""");

        _point.Rules.Policy.MaxRetries.ShouldBe(8);
        _policy.Current.Version.ShouldBe(2);
        _policy.Current.Origins.ShouldAllBe(origin => origin.From == SettingOrigin.Default);
    }

    [Theory]
    [InlineData("no document", "is no document of ours")]
    [InlineData("""{"point":"mails","settings":{}}""", "is no document of ours")]
    [InlineData("""{"point":"payments"}""", "is no document of ours")]
    [InlineData("""{"point":"payments","settings":{"Novel":"7"}}""", "Novel: found a setting that is not known here")]
    // each value is good, and together with what the service says they are not
    [InlineData("""{"point":"payments","settings":{"Delay":"7s"}}""", "Delay: found beside policy Exponential")]
    public void What_cannot_be_understood_changes_nothing_and_is_said(string body, string why)
    {
        Apply(1, """{"point":"payments","settings":{"Retries":2}}""");
        Apply(2, body);

        _point.Rules.Policy.MaxRetries.ShouldBe(2);
        _policy.Current.Version.ShouldBe(1);
        _policy.Current.Trouble!.ShouldContain("Version 2 of the policy is not applied, and version 1 still holds");
        _policy.Current.Trouble!.ShouldContain(why);
        _health.Troubles().ShouldHaveSingleItem().ShouldContain(why);
        _changes.ShouldBe(2);

        Apply(3, """{"point":"payments","settings":{"Retries":3}}""");
        _health.Troubles().ShouldBeEmpty();
        _policy.Current.Trouble.ShouldBeNull();
    }

    private void Apply(long version, string body) => _policy.Apply(new ControlRecord(PolicyDocument.Kind, "payments", version, Encoding.UTF8.GetBytes(body)));
}
