using System.Globalization;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>The ports of other processes, as Linux shows them.</summary>
internal static class ProcessPorts
{
    private const int LocalAddress = 1;
    private const int Inode = 9;

    /// <summary>Tells whether a TCP port of this machine belongs to a process.</summary>
    public static bool Has(int process, int port)
    {
        var end = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        var sockets = new[] { "tcp", "tcp6" }
            .SelectMany(family => File.ReadLines($"/proc/{process}/net/{family}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[LocalAddress].EndsWith(end, StringComparison.Ordinal))
            .Select(fields => $"socket:[{fields[Inode]}]")
            .ToHashSet();
        return Directory.GetFiles($"/proc/{process}/fd").Any(file => new FileInfo(file).LinkTarget is { } target && sockets.Contains(target));
    }
}
