using System.Globalization;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>Processor time as the kernel counts it, in hundredths of a second.</summary>
internal static class ProcessorTime
{
    private const double TicksPerSecond = 100;
    private const int StolenField = 8;

    /// <summary>What a process has computed since it began; null where there is none on this machine.</summary>
    public static TimeSpan? Of(int? process)
    {
        if (process is not { } id || Read($"/proc/{id}/stat") is not { } stat)
        {
            return null;
        }

        // the second field, the name, may hold blanks; utime and stime are 12 and 13 after it
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return Ticks(long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture));
    }

    /// <summary>What everybody on this machine has computed since it started, and what its host took from it.</summary>
    public static TimeSpan? OfMachine()
    {
        if (Read("/proc/stat") is not { } stat)
        {
            return null;
        }

        // user, nice, system, idle, iowait, irq, softirq, steal
        var fields = stat[..stat.IndexOf('\n', StringComparison.Ordinal)].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Ticks(Enumerable.Range(1, StolenField).Where(static field => field is not (4 or 5)).Sum(field => long.Parse(fields[field], CultureInfo.InvariantCulture)));
    }

    private static TimeSpan Ticks(long ticks) => TimeSpan.FromSeconds(ticks / TicksPerSecond);

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
