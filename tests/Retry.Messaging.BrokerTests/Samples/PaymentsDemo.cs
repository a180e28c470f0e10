using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Retry.Messaging.BrokerTests.Samples;

/// <summary>One run of the payment sample's demo, as a user starts it, but shorter.</summary>
internal sealed partial record PaymentsDemo(string Output, int ExitCode)
{
    // a run takes half a minute where nobody else wants the processor
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    public string LastLine => Output.TrimEnd('\n').Split('\n')[^1];

    public static Task<PaymentsDemo> RunAsync(params string[] arguments) => RunAsync(arguments, new Dictionary<string, string>());

    public static async Task<PaymentsDemo> RunAsync(string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Payments.dll"), "demo", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        // where books that do not balance stay for their reader
        var folder = Directory.CreateTempSubdirectory("retry-demo-");
        start.Environment["TMPDIR"] = folder.FullName;
        using var demo = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            var output = await demo.StandardOutput.ReadToEndAsync(deadline.Token);
            await demo.WaitForExitAsync(deadline.Token);
            return new PaymentsDemo(output, demo.ExitCode);
        }
        finally
        {
            demo.Kill(); // nothing where it has ended
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Reads the numbers of the last line; none where it is not as promised.</summary>
    public IReadOnlyDictionary<string, decimal> Ledger()
    {
        var match = LedgerLine().Match(LastLine);
        return match.Groups.Values.Skip(1).Where(group => group.Success).ToDictionary(group => group.Name, group => decimal.Parse(group.Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^ledger: published=(?<published>\d+) done=(?<done>\d+) parked=(?<parked>\d+) waiting=(?<waiting>\d+) lost=(?<lost>\d+) duplicates=(?<duplicates>\d+) charged=(?<charged>\d+\.\d\d) completed=(?<completed>\d+\.\d\d)$")]
    private static partial Regex LedgerLine();
}
