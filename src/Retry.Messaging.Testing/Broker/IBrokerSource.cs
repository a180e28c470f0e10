namespace Retry.Messaging.Testing;

/// <summary>One way to a broker.</summary>
internal interface IBrokerSource
{
    /// <summary>Gets what a user does to open this way, for the error that lists them all.</summary>
    string Way { get; }

    /// <summary>Says why this way is closed.</summary>
    /// <returns>The obstacle, or null when <see cref="StartAsync"/> may be called.</returns>
    Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken);

    Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken);
}
