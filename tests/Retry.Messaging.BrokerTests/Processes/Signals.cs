using System.Runtime.InteropServices;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>Signals that .NET has no method for.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal to a process.</summary>
    /// <returns>False when there is no such process.</returns>
    public static bool Send(int processId, int signal) => Kill(processId, signal) == 0;

    /// <summary>Stops a process, and waits until each of its threads stands still.</summary>
    /// <remarks>On a busy machine that was seen to take up to a second after the signal was sent; a broker answers much within one.</remarks>
    public static async Task SuspendAsync(int processId, TimeSpan deadline)
    {
        if (!Send(processId, Stop))
        {
            throw new InvalidOperationException($"There is no process {processId} to stop.");
        }

        await Eventually.TrueAsync(
            () => Directory.GetDirectories($"/proc/{processId}/task").All(IsStopped),
            deadline,
            () => $"threads of process {processId} still run",
            every: TimeSpan.FromMilliseconds(5));
    }

    // the state comes after the command's name, which is in parentheses
    private static bool IsStopped(string thread) => File.ReadAllText(Path.Combine(thread, "stat")).Contains(") T ", StringComparison.Ordinal);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}
