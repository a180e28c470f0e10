using System.Diagnostics;
using System.Text;

namespace Retry.Messaging.Cli.Hosting;

/// <summary>Has a person edit text, in the program that <c>VISUAL</c> or <c>EDITOR</c> names.</summary>
internal static class BodyEditor
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Opens the text, and waits until the program ends.</summary>
    /// <returns>What was saved, without a line break at its end.</returns>
    /// <exception cref="UsageException">No program is named.</exception>
    /// <exception cref="IOException">The program failed; nothing is to be changed.</exception>
    public static async Task<byte[]> EditAsync(CliHost host, string text, CancellationToken cancellationToken)
    {
        var editor = host.Variable("VISUAL") ?? host.Variable("EDITOR") ?? throw new UsageException("--edit: found no VISUAL or EDITOR, wanted the program to edit with, for example EDITOR=nano.");
        var file = Path.Combine(Path.GetTempPath(), $"retryctl-{Guid.NewGuid():N}.json");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                // a body is nobody else's business
                options.UnixCreateMode = OwnerOnly;
            }

            var stream = new FileStream(file, options);
            await using (stream.ConfigureAwait(false))
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(text + "\n"), cancellationToken).ConfigureAwait(false);
            }

            // by a shell, since the variable may have options in it
            using var process = Process.Start(OperatingSystem.IsWindows()
                ? new ProcessStartInfo("cmd", ["/c", $"{editor} {file}"])
                : new ProcessStartInfo("sh", ["-c", $"{editor} \"$1\"", "sh", file]))!;
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            return process.ExitCode == 0
                ? Encoding.UTF8.GetBytes((await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).TrimEnd('\r', '\n'))
                : throw new IOException($"The editor '{editor}' ended with exit code {process.ExitCode}, so nothing was changed.");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
