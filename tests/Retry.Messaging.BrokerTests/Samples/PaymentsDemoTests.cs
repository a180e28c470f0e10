using System.Globalization;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Samples;

public sealed partial class PaymentsDemoTests
{
    private const int Payments = 120;

    private static readonly string[] Short = ["--payments", Payments.ToString(CultureInfo.InvariantCulture), "--seconds", "5"];

    [Fact]
    public async Task Accounts_for_every_payment()
    {
        var demo = await PaymentsDemo.RunAsync(Short);

        var ledger = demo.Ledger();
        ledger.ShouldNotBeEmpty(demo.Output);
        ledger["published"].ShouldBe(Payments, demo.Output);
        ledger["waiting"].ShouldBe(0, demo.Output);
        ledger["lost"].ShouldBe(0, demo.Output);
        ledger["duplicates"].ShouldBe(0, demo.Output);
        Ended(ledger).ShouldBe(Payments, demo.Output);
        demo.ExitCode.ShouldBe(0, demo.Output);

        // to the cent, for each tenant
        ledger["charged"].ShouldBe(ledger["completed"], demo.Output);
        ledger["charged"].ShouldBeGreaterThan(0, demo.Output);
        MoneyOf("Completed", demo).ShouldBe(MoneyOf("Taken by gateway", demo), demo.Output);
        MoneyOf("Declined", demo).ShouldNotBeEmpty(demo.Output);
        MoneyOf("Voided", demo).ShouldNotBeEmpty(demo.Output);

        demo.Output.ShouldContain("early = 0,");
        demo.Output.ShouldMatch(@"Failed +\d+", demo.Output);
        demo.Output.ShouldMatch(@"Exhausted +\d+", demo.Output);
        var retried = RetriedLine().Match(demo.Output);
        double.Parse(retried.Groups["percent"].Value, CultureInfo.InvariantCulture).ShouldBeGreaterThanOrEqualTo(20, demo.Output);
        int.Parse(retried.Groups["often"].Value, CultureInfo.InvariantCulture).ShouldBeGreaterThan(0, demo.Output);
    }

    [Fact]
    public async Task Notices_a_message_that_was_taken_off_the_ladder()
    {
        var demo = await PaymentsDemo.RunAsync([.. Short, "--sabotage", "drop"]);

        var ledger = demo.Ledger();
        ledger.ShouldNotBeEmpty(demo.Output);
        ledger["published"].ShouldBe(Payments, demo.Output);
        ledger["waiting"].ShouldBe(0, demo.Output);
        ledger["lost"].ShouldBe(1, demo.Output);
        Ended(ledger).ShouldBe(Payments - 1, demo.Output);
        ledger["charged"].ShouldBe(ledger["completed"], demo.Output);
        demo.ExitCode.ShouldBe(1, demo.Output);

        var taken = TakenLine().Match(demo.Output).Groups["id"].Value;
        demo.Output.ShouldContain($"\nLost: {taken}\n");
    }

    // one column for each tenant
    private static List<string> MoneyOf(string row, PaymentsDemo demo) =>
        [.. Regex.Matches(Regex.Match(demo.Output, $@"^{row} .*$", RegexOptions.Multiline).Value, @"\d+\.\d\d").Select(match => match.Value)];

    [GeneratedRegex(@"^(?<percent>[0-9.]+) % of the payments needed a retry; (?<often>\d+) needed three attempts or more\.$", RegexOptions.Multiline)]
    private static partial Regex RetriedLine();

    // of a payment that its shop asked for twice, one message may be done and the other one parked; none may be done twice
    private static decimal Ended(IReadOnlyDictionary<string, decimal> ledger) => ledger["done"] + ledger["parked"] - ledger["duplicates"];

    [GeneratedRegex(@"^Sabotage: took (?<id>\S+) out of retry\.v1\.1s and threw it away\.$", RegexOptions.Multiline)]
    private static partial Regex TakenLine();
}
