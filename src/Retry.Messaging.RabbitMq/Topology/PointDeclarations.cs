using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>The points that have been declared on each connection, or are being declared: endpoint, limiter and publisher share one declaration.</summary>
internal sealed class PointDeclarations
{
    private readonly ConditionalWeakTable<IConnection, ConcurrentDictionary<TopologyPlan, Lazy<Task<IReadOnlyList<TopologyException>>>>> _connections = [];

    /// <summary>Declares a point once on a connection; after a failure the next call tries again.</summary>
    /// <returns>What exists with other properties than planned; it is used as it is.</returns>
    /// <exception cref="TopologyException">The broker refused a part of it.</exception>
    public async Task<IReadOnlyList<TopologyException>> DeclareAsync(IConnection connection, TopologyPlan point, CancellationToken cancellationToken)
    {
        // one declaration serves all callers, so none of them can cancel it
        var points = Of(connection);
        var declaration = points.GetOrAdd(
            point,
            plan => new Lazy<Task<IReadOnlyList<TopologyException>>>(
                () => TopologyDeclarer.DeclareAsync(connection, plan, cancellationToken: CancellationToken.None)));
        try
        {
            return await declaration.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (declaration.Value is { IsCompleted: true, IsCompletedSuccessfully: false })
        {
            // asked again, a broker that forbids it would only write one more error into its log
            if (exception is not TopologyException { IsForbidden: true })
            {
                points.TryRemove(new(point, declaration));
            }

            throw;
        }
    }

    /// <summary>Lets a point be declared again on a connection.</summary>
    public void Forget(IConnection connection, TopologyPlan point) => Of(connection).TryRemove(point, out _);

    private ConcurrentDictionary<TopologyPlan, Lazy<Task<IReadOnlyList<TopologyException>>>> Of(IConnection connection) =>
        _connections.GetValue(connection, static _ => new(ReferenceEqualityComparer.Instance));
}
