using System.Diagnostics;
using System.Text.Json;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.BrokerTests.Testing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Benchmarks;

/// <summary>The benchmarks run, and tell what they found. How fast anything was is nobody's business here.</summary>
[Collection(OperatorBroker.Name)]
public sealed class BenchmarkToolTests(BrokerFixture broker)
{
    private const int Done = 0;
    private const int Wrong = 1;
    private const int Interrupted = 130;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Stopped = TimeSpan.FromSeconds(20);
    private static readonly string[] OneTinyRound = ["--rounds", "1", "--messages", "50"];

    [Fact]
    public async Task Prints_a_table_and_writes_it_into_its_place_in_a_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "before\n\n<!-- bench retry-cycle -->\nwhat stood here\n<!-- end of retry-cycle -->\n\nafter\n");

            var (exitCode, output) = await RunAsync(["retry-cycle", .. OneTinyRound, "--markdown", file]);

            exitCode.ShouldBe(Done, output);
            output.ShouldContain("messages/s");
            output.ShouldContain("ours, with limiter");
            output.ShouldContain("retry cycle vs raw, same topology");
            var text = await File.ReadAllTextAsync(file);
            text.ShouldStartWith("before\n\n<!-- bench retry-cycle -->\n");
            text.ShouldEndWith("<!-- end of retry-cycle -->\n\nafter\n");
            text.ShouldContain("| ours, with limiter |");
            text.ShouldNotContain("what stood here");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Writes_json_with_the_value_of_every_round()
    {
        var (exitCode, output) = await RunAsync(["replay", .. OneTinyRound, "--json"]);

        exitCode.ShouldBe(Done, output);
        using var json = JsonDocument.Parse(output);
        var replay = json.RootElement.GetProperty("benchmarks").EnumerateArray().Single();
        replay.GetProperty("name").GetString().ShouldBe("replay");
        foreach (var row in replay.GetProperty("rows").EnumerateArray())
        {
            var figure = row.GetProperty("figures").EnumerateArray().First();
            figure.GetProperty("rounds").EnumerateArray().Single().GetDouble().ShouldBeGreaterThan(0);
        }
    }

    [Fact]
    public async Task Names_what_there_is_when_asked_for_something_else()
    {
        var (exitCode, output) = await RunAsync(["retry-bicycle"]);

        exitCode.ShouldBe(Wrong, output);
    }

    // starts a broker and compiles each side first, which takes most of a minute
    [Trait("Category", "Long")]
    [Fact]
    public async Task Ctrl_C_in_a_round_leaves_no_broker_and_the_page_as_it_was()
    {
        const string page = "<!-- bench retry-cycle -->\nwhat stood here\n<!-- end of retry-cycle -->\n";
        var folder = Directory.CreateTempSubdirectory("bench-stopped-");
        try
        {
            var file = Path.Combine(folder.FullName, "page.md");
            await File.WriteAllTextAsync(file, page);
            var start = StartInfo(["retry-cycle", "--rounds", "500", "--markdown", file]);
            // whoever runs the tests in the background has the shell ignore the signal, for all that is started from there
            start.ArgumentList.Insert(0, start.FileName);
            start.ArgumentList.Insert(0, "--default-signal=INT");
            start.FileName = "env";
            // by its folder for temporary files the tool, its broker and whatever they start are found again
            start.Environment["TMPDIR"] = folder.FullName;
            start.Environment.Remove("RETRY_TEST_BROKER");
            using var process = Process.Start(start)!;
            try
            {
                _ = process.StandardOutput.ReadToEndAsync();
                using var deadline = new CancellationTokenSource(Deadline);
                while (await process.StandardError.ReadLineAsync(deadline.Token) is { } line && !line.Contains("round 1 of", StringComparison.Ordinal))
                {
                }

                LinuxProcesses.Mentioning(folder.FullName).Select(LinuxProcesses.NameOf).ShouldContain("beam.smp");
                var rest = process.StandardError.ReadToEndAsync(deadline.Token);
                Signals.Send(process.Id, Signals.Interrupt);
                await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Stopped);

                process.ExitCode.ShouldBe(Interrupted, await rest);
                (await LinuxProcesses.WaitUntilNoneMentionsAsync(folder.FullName, Stopped)).ShouldBeEmpty();
                (await File.ReadAllTextAsync(file)).ShouldBe(page);
            }
            finally
            {
                process.Kill(); // nothing where it has ended
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<(int ExitCode, string Output)> RunAsync(string[] arguments)
    {
        var start = StartInfo(arguments);

        // the broker of the tests, where the tool makes virtual hosts of its own; both are gone in a second
        start.Environment["RETRY_TEST_BROKER"] = broker.Broker.AmqpUri.AbsoluteUri;
        start.Environment["RETRY_TEST_MANAGEMENT"] = broker.Broker.ManagementUri?.AbsoluteUri;
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, process.ExitCode == Done ? output : output + await error);
        }
        finally
        {
            process.Kill(); // nothing where it has ended
        }
    }

    private static ProcessStartInfo StartInfo(string[] arguments)
    {
        // beside this assembly's folder: referenced for the order of the build only, since its packages are many
        var tool = AppContext.BaseDirectory.Replace("Retry.Messaging.BrokerTests", "Retry.Messaging.Benchmarks", StringComparison.Ordinal);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])[Path.Combine(tool, "Retry.Messaging.Benchmarks.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
