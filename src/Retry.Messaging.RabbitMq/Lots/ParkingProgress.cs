namespace Retry.Messaging.RabbitMq.Lots;

/// <summary>How far the reading of a parking lot is.</summary>
/// <param name="Examined">Messages read so far.</param>
/// <param name="Total">Messages that were there at the start.</param>
/// <param name="Selected">Messages of those read that the filter selected.</param>
public readonly record struct ParkingProgress(long Examined, long Total, long Selected);
