using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;

namespace Retry.Messaging.Testing;

/// <summary>
/// The shell process between an owner and its node. It reads commands from a pipe whose other end only the owner holds:
/// when the owner ends, however it ends, the pipe closes and the guard ends the node and removes its directory.
/// </summary>
internal sealed class NodeGuard : IAsyncDisposable
{
    // Started through a shell that exits at once: a test runner that kills its process tree (a hang, a time-out) would
    // otherwise kill the guard before it has cleaned up. In a session of its own, Ctrl-C does not reach it either.
    // Only 'read' in the guard may hold the pipe; everything that it starts gets /dev/null.
    private const string Launcher = """
        exec 3<&0
        if command -v setsid > /dev/null; then session=setsid; else session=; fi
        $session /bin/sh "$@" <&3 3<&- 2> /dev/null &
        """;

    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(30);

    // a node's directory may hold tens of thousands of files, and the machine may have other things to do
    private static readonly TimeSpan CleanUpDeadline = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly SemaphoreSlim _one = new(1, 1);

    private NodeGuard(Process process) => _process = process;

    /// <summary>Starts a guard script that is embedded in an assembly.</summary>
    public static async Task<NodeGuard> StartAsync(
        Assembly assembly,
        string script,
        string directory,
        IEnumerable<string> arguments,
        CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, script);
        var source = assembly.GetManifestResourceStream(script)!;
        await using (source.ConfigureAwait(false))
        {
            var file = File.Create(path);
            await using (file.ConfigureAwait(false))
            {
                await source.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
            }
        }

        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        foreach (var argument in (string[])["-c", Launcher, "launcher", path, directory, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            process.Dispose();
            throw new BrokerUnavailableException("Found no /bin/sh, which guards a private broker. Use Linux or macOS, or set RETRY_TEST_BROKER.", exception);
        }

        return new NodeGuard(process);
    }

    /// <summary>Sends one command and reads the one line that answers it.</summary>
    public async Task<string> AskAsync(string command, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _process.StandardInput.WriteLineAsync(command.AsMemory(), cancellationToken).ConfigureAwait(false);
            await _process.StandardInput.FlushAsync(cancellationToken).ConfigureAwait(false);

            // Not cancellable by the caller: an answer left in the pipe would be taken for the next command's.
            return await _process.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask()
                .WaitAsync(AnswerDeadline, CancellationToken.None).ConfigureAwait(false)
                ?? throw new IOException("end of output");
        }
        catch (Exception exception) when (exception is IOException or TimeoutException)
        {
            throw new BrokerUnavailableException(
                $"The guard of a private broker or database did not answer '{command}'; it was ended from outside. Start a new broker.",
                exception);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Closes the pipe and waits until the guard has cleaned up.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            await _process.StandardOutput.ReadToEndAsync().WaitAsync(CleanUpDeadline).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The guard is gone already.
        }

        _process.Dispose();
        _one.Dispose();
    }
}
