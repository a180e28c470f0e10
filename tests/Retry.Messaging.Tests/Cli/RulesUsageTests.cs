using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

/// <summary>What cannot be a rule is one clear line and exit code 2, before a broker is asked. A semicolon stands for a blank inside an argument.</summary>
public class RulesUsageTests
{
    private const string Nowhere = "--broker amqp://shop:s3cret@127.0.0.1:1/v";
    private const string Nightly = "rules set payments nightly --cron 0;3;*;*;* ";

    [Theory]
    [InlineData("rules", "Found no command, wanted one of list, show, set, pause, resume, remove.")]
    [InlineData("rules frob", "Found 'frob', wanted one of list, show, set, pause, resume, remove.")]
    [InlineData("rules list", "Found no broker")]
    [InlineData("rules list payments extra " + Nowhere, "'extra'")]
    [InlineData("rules show payments " + Nowhere, "Found no ")]
    [InlineData("rules show payments nightly", "Found no broker")]
    [InlineData("rules show payments night/ly " + Nowhere, "NAME: found 'night/ly', wanted up to 64 letters")]
    [InlineData("rules pause payments -x " + Nowhere, "'-x'")]
    [InlineData("rules resume payments nightly --why enough " + Nowhere, "'--why'")]
    [InlineData("rules remove payments " + Nowhere, "Found no ")]
    [InlineData("rules set payments", "Found no ")]
    [InlineData("rules set payments .nightly --cron @daily --all " + Nowhere, "NAME: found '.nightly'")]
    [InlineData("rules set retry.v1.30s nightly --cron @daily --all " + Nowhere, "retry.v1.30s")]
    [InlineData("rules set payments nightly --all " + Nowhere, "Found none of --cron, --closed-for and --build, wanted one of them.")]
    [InlineData(Nightly + "--all --build 2 " + Nowhere, "Found 2 of --cron, --closed-for and --build, wanted one of them.")]
    [InlineData(Nightly + Nowhere, "Found no choice of messages, wanted a condition such as --reason, or --all.")]
    [InlineData(Nightly + "--all --reason Exhausted " + Nowhere, "Found both conditions and --all, wanted one of them.")]
    [InlineData("rules set payments nightly --cron 0;3;*;* --all " + Nowhere, "--cron: Found the cron expression '0 3 * *'")]
    [InlineData(Nightly + "--zone Europe/Atlantis --all " + Nowhere, "--cron: Found the time zone 'Europe/Atlantis'")]
    [InlineData("rules set payments nightly --build 2 --zone UTC --all " + Nowhere, "--zone: found without --cron, wanted both.")]
    [InlineData("rules set payments nightly --closed-for soon --all " + Nowhere, "--closed-for: found 'soon', wanted a duration such as 30s")]
    [InlineData("rules set payments nightly --closed-for 0s --all " + Nowhere, "--closed-for: found '0s'")]
    [InlineData("rules set payments nightly --closed-for 11d --all " + Nowhere, "ten days at most")]
    [InlineData("rules set payments nightly --reason Failed --build --all " + Nowhere, "--build: found '--all', wanted a build")]
    [InlineData(Nightly + "--all --times 0 " + Nowhere, "--times: found 0, wanted 1 to 1000.")]
    [InlineData(Nightly + "--all --times 1001 " + Nowhere, "--times: found 1001")]
    [InlineData(Nightly + "--all --times twice " + Nowhere, "'twice'")]
    [InlineData(Nightly + "--all --limit 0 " + Nowhere, "--limit: found 0, wanted 1 to")]
    [InlineData(Nightly + "--all --rate 0 " + Nowhere, "--rate: found 0")]
    [InlineData(Nightly + "--reason Rejected " + Nowhere, "--reason: found 'Rejected'")]
    [InlineData(Nightly + "--since yesterday " + Nowhere, "--since: found 'yesterday', wanted a time")]
    [InlineData(Nightly + "--group color=red " + Nowhere, "--group: found 'color=red', wanted KEY=ID")]
    [InlineData(Nightly + "--attempts few " + Nowhere, "--attempts: found 'few'")]
    [InlineData(Nightly + "--header tenant " + Nowhere, "--header: found 'tenant', wanted NAME=VALUE.")]
    [InlineData(Nightly + "--all", "Found no broker")]
    public async Task Wrong_usage_is_one_clear_line_and_exit_code_2(string line, string expected)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var args = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(argument => argument.Replace(';', ' ')).ToArray();

        (await RetryCtl.InvokeAsync(args, new CliHost { Out = output, Error = error, Variable = _ => null })).ShouldBe(ExitCode.Usage, error.ToString());

        output.ToString().ShouldBeEmpty();
        error.ToString().ShouldContain(expected);
        error.ToString().ShouldNotContain("s3cret");
        error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(text => !text.Contains("warning", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_reason_that_is_too_long_is_wrong_usage()
    {
        using var error = new StringWriter();
        string[] args = ["rules", "pause", "payments", "nightly", "--why", new string('x', 501), "--broker", "amqp://127.0.0.1:1/v"];

        (await RetryCtl.InvokeAsync(args, TextWriter.Null, error)).ShouldBe(ExitCode.Usage);

        error.ToString().ShouldContain("--why: found 501 characters, wanted 500 at most.");
    }
}
