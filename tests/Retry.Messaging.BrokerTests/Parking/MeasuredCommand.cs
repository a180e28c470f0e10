using System.Diagnostics;
using System.Globalization;

namespace Retry.Messaging.BrokerTests.Parking;

/// <summary>retryctl itself, in a process of its own: how long it took, of that on a processor, and how much memory it had at most by the kernel's count.</summary>
internal sealed record MeasuredCommand(int ExitCode, string Output, TimeSpan Took, TimeSpan Processor, double PeakMegabytes)
{
    public static async Task<MeasuredCommand> RunAsync(Uri broker, Uri management, string line)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "retryctl.dll"));
        foreach (var word in line.Split(' '))
        {
            start.ArgumentList.Add(word);
        }

        start.Environment["RETRY_BROKER"] = broker.AbsoluteUri;
        start.Environment["RETRY_MANAGEMENT"] = management.AbsoluteUri;
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (peak, processor) = (0L, TimeSpan.Zero);
        var watching = Task.Run(async () =>
        {
            using var often = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!process.HasExited && await often.WaitForNextTickAsync())
            {
                peak = Math.Max(peak, PeakOf(process.Id));
                processor = ProcessorOf(process) ?? processor;
            }
        });
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var took = clock.Elapsed;
        await watching;
        return new MeasuredCommand(process.ExitCode, output, took, processor, peak / 1024.0);
    }

    // one that has just ended has none any more
    private static TimeSpan? ProcessorOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    // in kB; a process that has just ended has none any more
    private static long PeakOf(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line["VmHWM:".Length..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
