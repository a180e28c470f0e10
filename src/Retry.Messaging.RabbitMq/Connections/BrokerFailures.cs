using System.Net.Sockets;
using System.Threading.Channels;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>Tells what an exception of the client says about its channel.</summary>
internal static class BrokerFailures
{
    // the client's own word for it, "A task was canceled", says nothing to who reads a log
    private const string Silent = "the broker did not answer in time";

    /// <summary>Whether the channel, or its connection, has ended.</summary>
    /// <remarks>The client's queue of frames ends with an exception of its own, a <see cref="ChannelClosedException"/>.</remarks>
    public static bool IsGone(Exception exception) =>
        exception is OperationInterruptedException or IOException or ObjectDisposedException or ChannelClosedException;

    /// <summary>Whether the channel has ended, or the broker has not answered in time: the client cancels a task whose answer does not come.</summary>
    public static bool IsGoneOrSilent(Exception exception) => IsGone(exception) || exception is TimeoutException or OperationCanceledException;

    /// <summary>Why something could not be had from the broker, in its own words where it said some.</summary>
    public static string Explain(Exception exception) => exception switch
    {
        OperationInterruptedException { ShutdownReason: { } reason } => $"{reason.ReplyCode} {reason.ReplyText}",
        BrokerUnreachableException or SocketException => $"no broker answers: {exception.GetBaseException().Message}",
        OperationCanceledException or TimeoutException => Silent,
        _ => exception.Message,
    };

    /// <summary>Why no more comes from the broker, for the end of a sentence.</summary>
    public static string Why(Exception exception) => exception is OperationCanceledException or TimeoutException ? Silent : exception.Message.TrimEnd('.');
}
