using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary>retryctl as a user runs it, its addresses in the environment.</summary>
internal static class CommandLineRun
{
    public static Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, Uri? management, string line) =>
        RunAsync(line, ("RETRY_BROKER", address.AbsoluteUri), ("RETRY_MANAGEMENT", management?.AbsoluteUri));

    /// <summary>Starts a command that runs until it is interrupted.</summary>
    public static (Task<int> Run, LineWriter Error) Start(Uri address, string line, CancellationToken interrupt)
    {
        var error = new LineWriter();
        var host = new CliHost { Out = TextWriter.Null, Error = error, Variable = name => name == "RETRY_BROKER" ? address.AbsoluteUri : null };
        return (Task.Run(() => RetryCtl.InvokeAsync(line.Split(' '), host, interrupt), CancellationToken.None), error);
    }

    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string line, params (string Name, string? Value)[] environment)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var host = new CliHost
        {
            Out = output,
            Error = error,
            Variable = name => environment.FirstOrDefault(variable => variable.Name == name).Value,
        };
        return (await RetryCtl.InvokeAsync(line.Split(' '), host), output.ToString(), error.ToString());
    }
}
