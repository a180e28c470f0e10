using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>The broker refused a part of the topology. The message says what was found, wanted and what to do.</summary>
public sealed class TopologyException : Exception
{
    private TopologyException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Whether it is there, but not as planned.</summary>
    public bool ExistsWithOtherProperties { get; private init; }

    /// <summary>Whether the user has no permission for it.</summary>
    internal bool IsForbidden { get; private init; }

    /// <summary>Whether it needs something that does not exist.</summary>
    internal bool NeedsWhatIsMissing { get; private init; }

    internal static TopologyException From(string what, OperationInterruptedException exception)
    {
        var reply = exception.ShutdownReason?.ReplyText ?? exception.Message;
        var next = exception.ShutdownReason?.ReplyCode switch
        {
            Constants.PreconditionFailed => "It exists with other properties. Run 'retryctl topology verify', which says what is wanted and what to run.",
            Constants.AccessRefused =>
                "The user has no permission to configure it. An operator who has runs 'retryctl topology apply' for its points (--point QUEUE, or --isolated QUEUE where they are limited or isolated); then set ManageTopology to Verify.",
            Constants.NotFound => "Something it needs does not exist yet. Run 'retryctl topology apply', or start the service that owns the queue.",
            _ => "Run 'retryctl topology apply' to see whether it lasts.",
        };
        return new TopologyException($"The broker refused {what}: {reply}. {next}", exception)
        {
            ExistsWithOtherProperties = exception.ShutdownReason?.ReplyCode == Constants.PreconditionFailed,
            IsForbidden = exception.ShutdownReason?.ReplyCode == Constants.AccessRefused,
            NeedsWhatIsMissing = exception.ShutdownReason?.ReplyCode == Constants.NotFound,
        };
    }
}
