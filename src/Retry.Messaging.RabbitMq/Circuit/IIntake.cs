namespace Retry.Messaging.RabbitMq.Circuit;

/// <summary>What takes the messages of a point in this process from the broker.</summary>
internal interface IIntake
{
    /// <summary>Takes no more. What was taken and has not begun goes back into the work queue; what runs goes on.</summary>
    /// <exception cref="Exception">The channel is gone: nothing is taken by it any more.</exception>
    Task CloseAsync(CancellationToken cancellationToken);

    /// <summary>Takes messages as before.</summary>
    /// <inheritdoc cref="CloseAsync"/>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Takes one message, and is closed again.</summary>
    /// <param name="taken">Told the tag of its delivery before that begins.</param>
    /// <param name="cancellationToken">Gives up. What has begun goes on.</param>
    /// <returns>Completed when the delivery has been dealt with, or will not come because the intake was opened or closed.</returns>
    /// <inheritdoc cref="CloseAsync"/>
    Task TakeOneAsync(Action<ulong> taken, CancellationToken cancellationToken);
}
