namespace Retry.Messaging.Testing;

/// <summary>One way to a broker; put your own into <see cref="PrivateBrokerOptions.Sources"/>.</summary>
public interface IBrokerSource
{
    /// <summary>Gets what a user does to open this way, for the error that lists them all: <c>install Docker and start it</c>.</summary>
    string Way { get; }

    /// <summary>Says why this way is closed.</summary>
    /// <param name="options">How the broker is to be set up.</param>
    /// <param name="cancellationToken">Gives up looking.</param>
    /// <returns>The obstacle, or null when <see cref="StartAsync"/> may be called.</returns>
    Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken);

    /// <summary>Starts a broker, or finds one.</summary>
    /// <param name="options">How the broker is to be set up. A source that cannot do what they ask for says so as an obstacle.</param>
    /// <param name="cancellationToken">Gives up waiting; what was started until then is ended.</param>
    /// <returns>A broker that answers soon.</returns>
    /// <exception cref="BrokerUnavailableException">It did not start.</exception>
    Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken);
}
