using System.Runtime.InteropServices;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
// a terminal that is closed: what is held must go back in good order, since a cut connection counts towards delivery limits
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, End);
return await RetryCtl.InvokeAsync(args, CliHost.FromConsole(), stop.Token).ConfigureAwait(false);

// the first asks for a clean end, the second takes the process
void End(PosixSignalContext signal)
{
    signal.Cancel = !stop.IsCancellationRequested;
    stop.Cancel();
}
