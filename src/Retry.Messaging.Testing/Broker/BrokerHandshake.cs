using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Retry.Messaging.Testing;

/// <summary>Opens a connection to learn that a broker is there, lets us in, and which version it is.</summary>
internal static class BrokerHandshake
{
    /// <returns>The broker's version, or null while nobody answers.</returns>
    /// <exception cref="BrokerUnavailableException">The broker answers and refuses the login: waiting longer would not help.</exception>
    public static async Task<string?> TryAsync(BrokerAddress address, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            Uri = address.AmqpUri,
            ClientProvidedName = "private broker handshake",
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
        };
        try
        {
            var connection = await factory.CreateConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var version = connection.ServerProperties?.TryGetValue("version", out var value) == true ? value : null;
                await connection.CloseAsync(cancellationToken).ConfigureAwait(false);
                return version is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "unknown";
            }
        }
        catch (BrokerUnreachableException exception) when (Refusal(exception) is { } refusal)
        {
            throw new BrokerUnavailableException(
                $"Found a broker at {address.Host}:{address.Port} that refuses user '{address.UserName}' in virtual host '{address.VirtualHost}' " +
                $"({refusal.Message}); wanted a login that works. Check user, password and permissions; a node that boots from a definitions " +
                "file has only the users in that file.",
                exception);
        }
        catch (Exception exception) when (exception is BrokerUnreachableException or OperationInterruptedException or IOException or TimeoutException)
        {
            return null;
        }
    }

    private static Exception? Refusal(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is AuthenticationFailureException or PossibleAuthenticationFailureException
                || (exception is OperationInterruptedException { ShutdownReason.ReplyCode: 530 or 403 }))
            {
                return exception;
            }
        }

        return null;
    }
}
