using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Scheduling;

/// <summary>Which exchanges are there, as far as one connection has seen.</summary>
/// <remarks>
/// A publish to one that is not there closes the channel for everybody on it, so each is looked for before its first message. One that was
/// missing is looked for again two seconds later, since each such look is an error in the broker's log.
/// </remarks>
internal sealed class KnownExchanges(IConnection connection, TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Look> _looks = new(StringComparer.Ordinal);

    /// <summary>Whether an exchange is there.</summary>
    public async Task<bool> HasAsync(string exchange, CancellationToken cancellationToken)
    {
        // the default exchange is always there, and cannot be looked for
        if (exchange.Length == 0)
        {
            return true;
        }

        while (true)
        {
            var look = _looks.GetOrAdd(exchange, name => new Look(new(() => LookForAsync(name)), time.GetTimestamp()));
            try
            {
                var found = await look.Found.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (found || time.GetElapsedTime(look.Began) < BetweenLooks)
                {
                    return found;
                }
            }
            catch when (!cancellationToken.IsCancellationRequested)
            {
                _looks.TryRemove(new(exchange, look));
                throw;
            }

            _looks.TryRemove(new(exchange, look));
        }
    }

    /// <summary>Looks for an exchange again before the next message.</summary>
    public void Forget(string exchange) => _looks.TryRemove(exchange, out _);

    private async Task<bool> LookForAsync(string exchange)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        return await look.HasExchangeAsync(exchange, CancellationToken.None).ConfigureAwait(false);
    }

    private sealed record Look(Lazy<Task<bool>> Found, long Began);
}
