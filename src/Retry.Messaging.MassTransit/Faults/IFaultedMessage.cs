using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>A message as its consumer took it; the type parameter is hidden behind this.</summary>
internal interface IFaultedMessage
{
    Type? MessageType { get; }

    string? ConsumerType { get; }

    Task NotifyEndedAsync();

    Task SendFaultAsync(Exception exception, RetryState parked, DateTimeOffset now, CancellationToken cancellationToken);
}
