using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Operations;

/// <summary>A part of a service that works on a broker for as long as its host runs. What is wrong with the broker is said once a minute, and tried again.</summary>
/// <param name="broker">The connection; opened when the host has started, which does not wait for it.</param>
/// <param name="time">The clock.</param>
internal abstract class BrokerService(IBrokerConnection broker, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly OncePer _line = new(BetweenLines, time);

    /// <summary>Gets the clock.</summary>
    protected TimeProvider Time => time;

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // the host's start does not wait for a broker
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(await broker.OpenAsync(stoppingToken).ConfigureAwait(false), stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
            }
#pragma warning disable CA1031 // whatever is wrong with the broker is said, and tried again: a host must not end because of it
            catch (Exception exception)
            {
                if (_line.IsTime())
                {
                    LogUnseen(BrokerFailures.Explain(exception));
                }
            }
#pragma warning restore CA1031

            await SettleAsync().ConfigureAwait(false);
            await Task.Delay(BetweenTries, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Works on a connection until it is cancelled. When it returns or throws it is called again, two seconds later.</summary>
    protected abstract Task ServeAsync(IConnection connection, CancellationToken cancellationToken);

    /// <summary>Waits for what is still under way.</summary>
    protected virtual Task SettleAsync() => Task.CompletedTask;

    /// <summary>Says that it cannot work at the moment.</summary>
    protected abstract void LogUnseen(string reason);
}
