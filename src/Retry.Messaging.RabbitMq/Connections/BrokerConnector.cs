using System.Net.Sockets;
using System.Security.Authentication;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.RabbitMq.Connections;

/// <summary>Opens connections, and explains why one could not be opened.</summary>
internal static class BrokerConnector
{
    /// <summary>Opens a connection, and waits until the broker has accepted its virtual host.</summary>
    /// <remarks>The client returns a connection whose virtual host the broker is about to refuse; a first channel waits for the answer.</remarks>
    public static async Task<IConnection> OpenAsync(ConnectionFactory factory, string clientName, CancellationToken cancellationToken)
    {
        var connection = await factory.CreateConnectionAsync(clientName, cancellationToken).ConfigureAwait(false);
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            await channel.DisposeAsync().ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Says in one line why a connection could not be opened, and what to do.</summary>
    public static string Explain(BrokerAddress address, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return $"The broker at {address} refused user '{address.User}' or its password. Check both; 'guest' may only connect from the broker's own machine.";
                case OperationInterruptedException { ShutdownReason: { } reason }:
                    return reason.ReplyCode == Constants.NotAllowed
                        ? $"The broker at {address} has no virtual host '{address.VirtualHost}', or user '{address.User}' may not use it: {reason.ReplyText}. Check the name after the last '/', and the user's permissions."
                        : $"The broker at {address} closed the connection: {reason.ReplyCode} {reason.ReplyText}.";
                case AuthenticationException tls:
                    return $"No TLS connection to {address}: {FirstLine(tls.Message)}. Check the certificate, or use amqp:// if this port is not encrypted.";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return $"Found no host '{address.Host}' ({address}). Check the name.";
                case SocketException socket:
                    return $"No broker answers at {address}: {FirstLine(socket.Message)}. Check host and port, and that the broker runs.";
                default:
                    break;
            }
        }

        return $"{address} does not answer in AMQP (waited at most {BrokerAddress.ConnectTimeout.TotalSeconds:0} s): {FirstLine(exception.GetBaseException().Message)}. Check host and port: {(address.UseTls ? BrokerAddress.TlsPort : BrokerAddress.PlainPort)} is usual{(address.UseTls ? "" : $", {BrokerAddress.TlsPort} wants amqps://")}; 15672 is the management API's.";
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim().TrimEnd('.');
}
