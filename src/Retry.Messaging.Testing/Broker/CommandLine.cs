using System.ComponentModel;
using System.Diagnostics;

namespace Retry.Messaging.Testing;

/// <summary>Runs a command to its end and keeps what it printed.</summary>
internal static class CommandLine
{
    /// <returns>The exit code, or null when there is no such command or the deadline passed, and both outputs together.</returns>
    public static async Task<(int? ExitCode, string Output)> RunAsync(IReadOnlyList<string> command, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            return (null, exception.Message);
        }

        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            return (process.ExitCode, await output.ConfigureAwait(false) + await error.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            return (null, $"'{command[0]}' did not end within {deadline.TotalSeconds:0} s");
        }
    }
}
