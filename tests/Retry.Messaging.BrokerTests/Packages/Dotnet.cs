using System.Diagnostics;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>Runs a command as a user would: it must end well, within a deadline.</summary>
internal static class Dotnet
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public static Task<string> RunAsync(string folder, params string[] arguments) => RunCommandAsync(folder, "dotnet", arguments);

    public static async Task<string> RunCommandAsync(string folder, string command, params string[] arguments)
    {
        var (exitCode, output) = await TryAsync(folder, command, arguments);
        exitCode.ShouldBe(0, $"{command} {string.Join(' ', arguments)}\n{output}");
        return output;
    }

    public static async Task<(int ExitCode, string Output)> TryAsync(string folder, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // no build server outlives the test, and none of the outer build's settings reach the inner one
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment.Remove("MSBuildExtensionsPath");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await error);
    }
}
