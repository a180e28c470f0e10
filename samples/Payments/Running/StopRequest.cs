using System.Runtime.InteropServices;

namespace Payments.Running;

/// <summary>Asked to stop: by Ctrl-C, by a signal, or because the process that started this one is gone.</summary>
internal sealed class StopRequest : IDisposable
{
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _signals;

    public StopRequest() => _signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
    ];

    public CancellationToken Token => _stop.Token;

    /// <summary>Stops when standard input ends: the parent holds its other end, and a killed process holds nothing.</summary>
    public void WhenInputEnds()
    {
        var watcher = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            Span<byte> ignored = stackalloc byte[64];
            while (input.Read(ignored) > 0)
            {
            }

            Stop();

            // nobody is left who would end us, should the broker be gone too and something wait for it
            Thread.Sleep(TimeToEnd);
            Environment.Exit(ExitCodes.Interrupted);
        })
        {
            IsBackground = true,
            Name = "parent watcher",
        };
        watcher.Start();
    }

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }

        // not the source: the watcher of the input may still use it
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        Stop();
    }

    private void Stop() => _stop.Cancel();
}
