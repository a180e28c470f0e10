using System.Globalization;
using System.Net;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Testing;

/// <summary>What /proc says about processes and their sockets.</summary>
internal static class LinuxProcesses
{
    private const string Listening = "0A";

    /// <summary>Finds processes that have a text, such as a directory, in their command line or environment.</summary>
    public static IReadOnlyList<int> Mentioning(string text) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id != 0 && id != Environment.ProcessId
                && (Read($"/proc/{id}/cmdline").Contains(text, StringComparison.Ordinal) || Read($"/proc/{id}/environ").Contains(text, StringComparison.Ordinal))),
    ];

    /// <summary>Gives the name of a process's program, or nothing when it is gone.</summary>
    public static string NameOf(int processId) => Read($"/proc/{processId}/comm").TrimEnd();

    /// <summary>Gives the addresses that a process listens on.</summary>
    public static IReadOnlyList<IPEndPoint> ListenersOf(int processId)
    {
        var sockets = Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd")
            .Select(path => new FileInfo(path).LinkTarget)
            .OfType<string>()
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(target => target[8..^1])
            .ToHashSet();
        return
        [
            .. File.ReadLines("/proc/net/tcp").Skip(1).Concat(File.ReadLines("/proc/net/tcp6").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(columns => columns[3] == Listening && sockets.Contains(columns[9]))
                .Select(columns => ParseAddress(columns[1])),
        ];
    }

    /// <summary>Waits until no process mentions the text; says what is left when the deadline passes.</summary>
    public static async Task<IReadOnlyList<int>> WaitUntilNoneMentionsAsync(string text, TimeSpan deadline)
    {
        IReadOnlyList<int> left = [];
        await Eventually.IsTrueAsync(() => (left = Mentioning(text)).Count == 0, deadline);
        return left;
    }

    // Addresses are written as 32-bit words in the machine's byte order.
    private static IPEndPoint ParseAddress(string text)
    {
        var (address, port) = (Convert.FromHexString(text[..text.IndexOf(':', StringComparison.Ordinal)]), text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        for (var word = 0; word < address.Length && BitConverter.IsLittleEndian; word += 4)
        {
            Array.Reverse(address, word, 4);
        }

        return new IPEndPoint(new IPAddress(address), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
