using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>The one connection of control that a process has to a virtual host. When it is lost, messages flow as before.</summary>
/// <param name="connect">Opens a connection, which this one owns.</param>
/// <param name="parts">What lives on it.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Where pauses are drawn from.</param>
/// <param name="logger">Where it says what it lacks, once as long as it lasts.</param>
internal sealed partial class ControlConnection(
    Func<CancellationToken, Task<IConnection>> connect,
    IReadOnlyList<IControlPart> parts,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    /// <summary>Keeps a connection until it is cancelled.</summary>
    /// <param name="cancellationToken">Ends it: each part says its last, and the connection is closed.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var connection = await connect(cancellationToken).ConfigureAwait(false);
                await using var ends = connection.ConfigureAwait(false);
                pause = FirstPause;
                await UseAsync(connection, cancellationToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // whatever it is, messages flow without it, and the bus says that the broker is away
            catch (Exception)
#pragma warning restore CA1031
            {
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }

            await Task.Delay(random.Around(pause), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task UseAsync(IConnection connection, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        try
        {
            if (connection.IsOpen)
            {
                await Task.WhenAll(parts.Select(part => KeepAsync(part, connection, over.Token))).ConfigureAwait(false);
            }
        }
        finally
        {
            connection.ConnectionShutdownAsync -= OnShutdownAsync;
        }

        if (!connection.IsOpen)
        {
            return;
        }

        using var patience = new CancellationTokenSource(EndPatience, time);
        await Task.WhenAll(parts.Select(part => part.EndAsync(connection, patience.Token))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        Task OnShutdownAsync(object sender, ShutdownEventArgs args) => over.CancelAsync();
    }

    // what one part lacks is no reason to end the others
    private async Task KeepAsync(IControlPart part, IConnection connection, CancellationToken cancellationToken)
    {
        string? said = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await part.RunAsync(connection, cancellationToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // it is said, and tried again
            catch (Exception exception)
#pragma warning restore CA1031
            {
                var why = exception is ControlException ? exception.Message : BrokerFailures.Explain(exception);
                if (connection.IsOpen && !cancellationToken.IsCancellationRequested && why != said)
                {
                    LogTrouble(part.Name, why.TrimEnd('.'), LongestPause.TotalSeconds);
                    said = why;
                }
            }

            await Task.Delay(LongestPause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(LogEvents.ControlTrouble, LogLevel.Warning, "Operators are without {Part} of this process: {Reason}. Messages flow as before; it is tried again every {Seconds} s")]
    private partial void LogTrouble(string part, string reason, double seconds);
}
