namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Whose turn it is to send recurring messages: one instance at a time in the virtual host.</summary>
internal interface IRecurrenceTurn : IAsyncDisposable
{
    /// <summary>Gets a value indicating whether it is this one's.</summary>
    bool IsOurs { get; }

    /// <summary>Gets why it is nobody's here any more, or <see langword="null"/>.</summary>
    string? Ended { get; }

    /// <summary>Does what has to be done now and then to keep it.</summary>
    /// <returns>How long it is kept without that.</returns>
    Task<TimeSpan> KeepAsync(CancellationToken cancellationToken);
}
