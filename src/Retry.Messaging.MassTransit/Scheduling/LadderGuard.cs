using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Lets a send onto the ladder only where there is a whole one. On half of one the message would end in the lost queue.</summary>
/// <remarks>
/// MassTransit repeats for ever what fails for want of an exchange. So after a scheduled send that failed the ladder is looked at, and the next one, or
/// its repetition, ends with what is missing. While something is, it is looked at every two seconds: each look is an error in the broker's log.
/// </remarks>
internal sealed class LadderGuard(TopologyKeeper keeper, TimeProvider time)
{
    // a first ladder takes a second; after this long the broker's own answer tells the sender more
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Task<IReadOnlyList<string>>? _look;
    private long _lookedAt;
    private volatile IReadOnlyList<string> _missing = [];
    private volatile bool _suspected;

    /// <summary>The connection to look on.</summary>
    public IConnection? Connection { get; set; }

    /// <summary>Notes that a scheduled send has failed.</summary>
    public void Suspect() => _suspected = true;

    /// <summary>Waits until the ladder has been declared for the first time, and looks at it where that is called for.</summary>
    /// <param name="destination">Where the message goes.</param>
    /// <param name="cancellationToken">Cancelled when the sender gives up.</param>
    /// <exception cref="TransportException">A part of it is missing.</exception>
    public async Task CheckAsync(Uri destination, CancellationToken cancellationToken)
    {
        if (!keeper.Looked.IsCompleted)
        {
            await keeper.Looked.WaitAsync(LongestWait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        if ((_suspected || _missing.Count > 0) && Connection is { IsOpen: true } connection)
        {
            _missing = await LookAsync(connection).WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_missing is { Count: > 0 } missing)
        {
            throw new TransportException(
                destination,
                $"The message was not scheduled. Found no {missing[0]}{(missing.Count > 1 ? $" (and {missing.Count - 1} more missing)" : string.Empty)}, wanted the whole ladder. A service with ManageTopology OnStart declares it again within a minute; where none may, run 'retryctl topology apply'.");
        }
    }

    // One look serves all that send at the time: what an older one found missing may have been mended since.
    private Task<IReadOnlyList<string>> LookAsync(IConnection connection)
    {
        lock (_lock)
        {
            if (_look is null or { IsCompleted: true, IsCompletedSuccessfully: false } || time.GetElapsedTime(_lookedAt) >= BetweenLooks)
            {
                _suspected = false;
                _lookedAt = time.GetTimestamp();
                _look = TopologyLook.FindMissingAsync(connection, TopologyPlan.Ladder, CancellationToken.None);
            }

            return _look;
        }
    }
}
