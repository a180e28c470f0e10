using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Lots;
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

    /// <summary>Asks the management API.</summary>
    /// <remarks>Where a nack is free (RabbitMQ 4.3), a reader that is cut off still counts: four killed in a row emptied a queue with a limit of 3.</remarks>
    /// <exception cref="ParkingException">The queue is a stream.</exception>
    public static async Task<ErrorQueueLimit> OfAsync(string queue, IConnection connection, ManagementClient? management, CancellationToken cancellationToken)
    {
        var version = RetryConnection.Of(connection).Version;
        var isNackFree = DeliveryLimit.IsGivingBackFree(version);
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
                if (fact.Type == PolicyKeys.StreamType)
                {
                    throw new ParkingException($"Queue '{queue}' is a stream, wanted a classic or a quorum queue: nothing can be taken out of a stream.") { IsUnknownQueue = true };
                }

                var known = EffectiveSettings.Limit(fact, PolicyKeys.DeliveryLimit);
                return new(fact.Type == PolicyKeys.QuorumType ? DeliveryLimit.OfCuts(version, known) : null, IsGuessed: false) { IsNackFree = isNackFree };
            }
            catch (Exception exception) when (exception is ManagementException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                // there is none, or the user may not ask it
            }
        }

        return new(Cautious, IsGuessed: true) { IsNackFree = isNackFree };
    }
}
