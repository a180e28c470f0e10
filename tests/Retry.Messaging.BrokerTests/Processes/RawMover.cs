using System.Globalization;
using Retry.Messaging.BrokerTests.Parking;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>A plain mover in a process of its own, which begins as cold as retryctl does.</summary>
internal static class RawMover
{
    private const string BrokerVariable = "MOVER_BROKER";
    private const string QueueVariable = "MOVER_QUEUE";
    private const string BatchVariable = "MOVER_BATCH";
    private const string CountVariable = "MOVER_COUNT";
    private const string ExchangeVariable = "MOVER_EXCHANGE";
    private const string RoutingKeyVariable = "MOVER_ROUTING_KEY";

    /// <summary>Starts it, and waits until it has moved the messages of a batch.</summary>
    public static async Task MoveAsync(Uri broker, string queue, string batch, int count, string exchange, string routingKey)
    {
        using var process = TestProcess.Start(TestProcess.RawMoverRole, new Dictionary<string, string>
        {
            [BrokerVariable] = broker.AbsoluteUri,
            [QueueVariable] = queue,
            [BatchVariable] = batch,
            [CountVariable] = count.ToString(CultureInfo.InvariantCulture),
            [ExchangeVariable] = exchange,
            [RoutingKeyVariable] = routingKey,
        });
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0);
    }

    public static Task RunAsync()
    {
        return RawReading.MoveAsync(
            new Uri(Read(BrokerVariable)),
            Read(QueueVariable),
            Read(BatchVariable),
            int.Parse(Read(CountVariable), CultureInfo.InvariantCulture),
            Read(ExchangeVariable),
            Read(RoutingKeyVariable));

        static string Read(string name) => Environment.GetEnvironmentVariable(name)!;
    }
}
