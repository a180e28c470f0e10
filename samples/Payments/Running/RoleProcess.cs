using System.Diagnostics;

namespace Payments.Running;

/// <summary>One role in a process of its own, which ends with this one, however this one ends.</summary>
internal sealed class RoleProcess : IAsyncDisposable
{
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Task _log;

    private RoleProcess(string role, Process process, Task log)
    {
        Role = role;
        _process = process;
        _log = log;
    }

    public string Role { get; }

    /// <summary>Starts a role.</summary>
    /// <param name="role">Which one.</param>
    /// <param name="broker">The broker's address.</param>
    /// <param name="arguments">The arguments after the role.</param>
    /// <param name="log">The file for what it logs; null to log where this process does.</param>
    public static RoleProcess Start(string role, Uri broker, IEnumerable<string> arguments, string? log = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            // the pipe that tells the child when we are gone
            RedirectStandardInput = true,
            RedirectStandardError = log is not null,
            UseShellExecute = false,
        };

        // 'dotnet Payments.dll', as in a container, rather than the program of that name
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(typeof(RoleProcess).Assembly.Location);
        }

        foreach (var argument in (string[])[role, .. arguments, CommandLine.EndWithParentOption])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[Run.BrokerVariable] = broker.AbsoluteUri;
        var process = Process.Start(start)!;
        return new RoleProcess(role, process, log is null ? Task.CompletedTask : CopyAsync(process.StandardError, log));
    }

    /// <summary>Waits until the role has ended, and returns its exit code.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(TimeToStop);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _log;
        _process.Dispose();
    }

    private static async Task CopyAsync(StreamReader from, string path)
    {
        await using var to = LineFile.Append(path);
        while (await from.ReadLineAsync() is { } line)
        {
            await to.WriteLineAsync(line);
        }
    }
}
