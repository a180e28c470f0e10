using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Management;
using Retry.Messaging.RabbitMq.Publishing;

namespace Retry.Messaging.Operations.Estates;

/// <summary>How often an error queue takes a message back before the broker drops it: others declared it, and each look gives all of it back.</summary>
/// <param name="Limit">The limit; <see langword="null"/> for none that counts.</param>
/// <param name="IsGuessed">Whether nothing tells it.</param>
internal sealed record ErrorQueueLimit(long? Limit, bool IsGuessed)
{
    // the lowest that people set; a queue without a limit loses nothing by it
    private const long Cautious = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether a nack is not counted.</summary>
    public bool IsNackFree { get; private init; }

    /// <summary>Asks the management API, where the broker's version does not settle it.</summary>
    public static async Task<ErrorQueueLimit> OfAsync(string queue, IConnection connection, ManagementClient? management, CancellationToken cancellationToken)
    {
        var version = RetryConnection.Of(connection).Version;
        if (DeliveryLimit.Of(version, Cautious) is null)
        {
            return new(Limit: null, IsGuessed: false) { IsNackFree = true };
        }

        if (management is not null)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                await management.EnsureSameClusterAsync(connection, patience.Token).ConfigureAwait(false);
                var json = await management.GetAsync($"queues/{management.VirtualHostSegment}/{Uri.EscapeDataString(queue)}", patience.Token).ConfigureAwait(false);
                var fact = new QueueFact(queue, json.Text("type") ?? PolicyKeys.ClassicType)
                {
                    Arguments = json.Table("arguments"),
                    EffectivePolicy = json.Table("effective_policy_definition"),
                };
                return new(fact.Type == PolicyKeys.QuorumType ? DeliveryLimit.Of(version, EffectiveSettings.Limit(fact, PolicyKeys.DeliveryLimit)) : null, IsGuessed: false);
            }
            catch (Exception exception) when (exception is ManagementException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // there is none, or the user may not ask it
            }
        }

        return new(Cautious, IsGuessed: true);
    }
}
