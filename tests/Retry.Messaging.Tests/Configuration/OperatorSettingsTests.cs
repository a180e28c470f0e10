using System.Text.Json;
using Retry.Messaging.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Configuration;

/// <summary>What an operator sets stands over appsettings and code, and is read as strictly.</summary>
public sealed class OperatorSettingsTests
{
    [Fact]
    public void It_wins_over_all_layers_and_keeps_what_it_does_not_name()
    {
        var code = new RetryPointBuilder();
        code.Exponential(TimeSpan.FromSeconds(5), 3, TimeSpan.FromHours(1)).Retries(8);
        code.For<TimeoutException>(slow => slow.Fixed(TimeSpan.FromMinutes(2)));
        code.ForMessage<Uri>(message => message.Retries(1));
        code.Fail<ArgumentException>();
        code.AttemptTimeout(TimeSpan.FromSeconds(9));

        var rules = RulesOf(code, """{"Policy":"Fixed","Delay":"10s","Retries":2}""");

        rules.Policy.ToString().ShouldBe("Fixed(10s).Retries(2)");
        rules.PolicyFor(new TimeoutException()).ToString().ShouldBe("Fixed(2m).Retries(2)");
        rules.PolicyFor(new InvalidOperationException(), typeof(Uri)).MaxRetries.ShouldBe(1);
        rules.Classify(new ArgumentException()).ShouldBe(Messaging.Outcomes.Outcome.Fail);
        rules.AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public void A_function_of_the_code_stays_where_no_other_kind_is_named()
    {
        var code = new RetryPointBuilder();
        code.Custom(retry => TimeSpan.FromSeconds(retry)).Retries(8);

        RulesOf(code, """{"Retries":3}""").Policy.NominalDelay(3).ShouldBe(TimeSpan.FromSeconds(3));
        RulesOf(code, """{"Retries":3}""").Policy.NominalDelay(4).ShouldBeNull();
    }

    [Theory]
    [InlineData("""{"Novel":1}""", "payments:Novel: found a setting that is not known here")]
    [InlineData("""{"Fail":["Shop.CardDeclinedException"]}""", "payments:Fail: found a setting that is not known here")]
    [InlineData("""{"Retries":-1}""", "payments:Retries: found -1, wanted 0")]
    [InlineData("""{"Retries":{"more":1}}""", "payments:Retries: found a section or list, wanted one value")]
    [InlineData("""{"Policy":"Custom"}""", "payments:Policy: found 'Custom', wanted one of")]
    [InlineData("""{"Delay":"soon"}""", "payments:Delay: found 'soon', wanted a duration")]
    [InlineData("""{"ValidFor":"0s"}""", "payments:ValidFor: found 0s, wanted more than 0s")]
    [InlineData("""{"Intervals":"30s"}""", "payments:Intervals: found '30s', wanted a list")]
    public void What_makes_no_sense_is_a_finding(string settings, string expected) =>
        OperatorSettings.Read(Settings(settings), "payments").Findings.ShouldHaveSingleItem().ToString().ShouldStartWith(expected);

    [Theory]
    [InlineData("""{"Retries":2}""", """{"Jitter":"None"}""", """{"Jitter":"None","Retries":2}""")]
    [InlineData("""{"Policy":"Fixed","Delay":"9s","Retries":2}""", """{"Policy":"Linear"}""", """{"Policy":"Linear","Retries":2}""")]
    [InlineData("""{"Retries":2}""", """{"Policy":"Intervals","Intervals":["1s"]}""", """{"Intervals":["1s"],"Policy":"Intervals"}""")]
    [InlineData("""{"retries":2}""", """{"Retries":3}""", """{"retries":3}""")]
    public void A_setting_takes_the_place_of_its_predecessor_and_a_kind_that_of_all_of_its_kind(string before, string set, string after) =>
        JsonSerializer.Serialize(OperatorSettings.Over(Settings(set), Settings(before))).ShouldBe(after);

    [Fact]
    public void Each_setting_is_told_with_the_layer_that_says_it()
    {
        var code = new RetryPointBuilder();
        code.Exponential(TimeSpan.FromSeconds(5), 3, TimeSpan.FromHours(1)).Retries(8);
        var layers = GradientRetryConfiguration.Read(null).LayersFor("payments", code.Settings, operators: OperatorSettings.Read(Settings("""{"Policy":"Linear","First":"1s"}"""), "payments").Settings);

        SettingOrigins.Of(layers).Select(origin => $"{origin.Name} {origin.Value} {origin.From}").ShouldBe(
        [
            "Policy Linear operator", "First 1s operator", "Increment 5s default", "Max 1h default", "Retries 8 code", "Jitter None default", "ValidFor 7d default",
            "AttemptTimeout none default", "ReleasableWithin none default", "Switch On default",
            "DeliveriesPerSecond none default", "RetryBudget none default", "Breaker off default",
        ]);
    }

    private static RetryRules RulesOf(RetryPointBuilder code, string settings)
    {
        var (operators, findings) = OperatorSettings.Read(Settings(settings), "payments");
        findings.ShouldBeEmpty();
        return RetryRules.Compile(RetryPointSettings.Merge(GradientRetryConfiguration.Read(null).LayersFor("payments", code.Settings, operators: operators).Select(layer => layer.Settings)));
    }

    private static Dictionary<string, JsonElement> Settings(string text) => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text)!;
}
