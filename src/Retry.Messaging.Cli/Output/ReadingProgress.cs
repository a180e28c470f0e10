using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>Passes a parking lot's progress on to a display, on the thread that reports it and so in order.</summary>
internal sealed class ReadingProgress(Action<long, long> report) : IProgress<ParkingProgress>
{
    public void Report(ParkingProgress value) => report(value.Examined, value.Total);
}
