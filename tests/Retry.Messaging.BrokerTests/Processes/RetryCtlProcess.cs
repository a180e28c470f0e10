using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>retryctl in a process of its own, to be killed or stopped by a test: another machine, as far as the broker can tell.</summary>
internal static class RetryCtlProcess
{
    public const string BrokerVariable = "RETRY_BROKER";
    public const string LineVariable = "RETRYCTL_LINE";
    public const string Ended = "ended ";

    public static async Task RunAsync()
    {
        var host = new CliHost { Out = TextWriter.Null, Error = Console.Out, Variable = Environment.GetEnvironmentVariable };
        var exitCode = await RetryCtl.InvokeAsync(Environment.GetEnvironmentVariable(LineVariable)!.Split(' '), host);
        Console.WriteLine(Ended + exitCode);
    }
}
