using System.Globalization;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>What a process holds of the machine's memory.</summary>
internal static class ProcessMemory
{
    private const double Kibibyte = 1024;

    /// <summary>Gives it in bytes; null where there is no such process on this machine.</summary>
    public static double? Of(int? process)
    {
        try
        {
            return process is { } id
                && File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } line
                ? Kibibyte * double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
