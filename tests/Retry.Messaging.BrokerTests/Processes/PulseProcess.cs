using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.RabbitMq.Pulse;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>Senders of pulses, or one who listens, in a process of their own: it says what share of a processor they took.</summary>
internal static class PulseProcess
{
    public const string BrokerVariable = "PULSE_BROKER";
    public const string SendersVariable = "PULSE_SENDERS";
    public const int Points = 20;
    public static readonly TimeSpan Measured = TimeSpan.FromSeconds(15);

    // the runtime compiles what it runs, and connections are opened
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>Sends until its standard input ends: something happens at each point ten times a second. Without a sender it happens all the same, at the points of one.</summary>
    public static async Task SendAsync()
    {
        await using var connection = await BrokerFixture.ConnectAsync(new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!));
        using var metrics = new RetryMetrics();
        using var stop = new CancellationTokenSource();
        var senders = int.Parse(Environment.GetEnvironmentVariable(SendersVariable)!, CultureInfo.InvariantCulture);
        var points = Enumerable.Range(0, Math.Max(senders, 1))
            .Select(sender => Enumerable.Range(0, Points).Select(point => metrics.Point(new object(), $"queue-of-a-service-{point}", TimeProvider.System)).ToList())
            .ToList();
        var sending = points.Take(senders).Select((served, sender) =>
            new PulseSender(new PulseSource($"node-{sender}", $"web-{sender}:1", () => served, TimeProvider.System), TimeProvider.System).RunAsync(connection, stop.Token)).ToList();
        var working = WorkAsync(points.SelectMany(served => served).ToList(), stop.Token);
        await SayCostAsync(() => senders);
        await Task.Run(Console.In.ReadToEnd);
        await stop.CancelAsync();
        await Task.WhenAll(sending.Append(working)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Listens, and puts together what it hears every two seconds, as a watch does.</summary>
    public static async Task ListenAsync()
    {
        await using var connection = await BrokerFixture.ConnectAsync(new Uri(Environment.GetEnvironmentVariable(BrokerVariable)!));
        using var stop = new CancellationTokenSource();
        var heard = 0;
        var board = new PulseBoard(TimeProvider.System);
        await using var listener = await PulseListener.OpenAsync(
            connection,
            (node, pulse) =>
            {
                heard++;
                board.Hear(node, pulse);
            },
            CancellationToken.None);
        var watching = WatchAsync(board, stop.Token);
        await SayCostAsync(() => heard);
        await stop.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task SayCostAsync(Func<int> count)
    {
        await Scenario.PauseAsync(WarmUp);
        using var self = Process.GetCurrentProcess();
        var (before, counted, clock) = (self.TotalProcessorTime, count(), Stopwatch.StartNew());
        await Scenario.PauseAsync(Measured);
        self.Refresh();
        var share = (self.TotalProcessorTime - before) / clock.Elapsed;
        Console.WriteLine(FormattableString.Invariant($"{share:0.00000} {count() - counted}"));
    }

    private static async Task WorkAsync(IReadOnlyList<PointTelemetry> points, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        while (true)
        {
            foreach (var point in points)
            {
                point.Counts.Begin();
                point.Counts.End(TimeSpan.FromMilliseconds(random.Next(1, 2000)));
                point.Counts.CountDone();
                point.Counts.Climbs.Add(TimeSpan.FromSeconds(random.Next(1, 4) * 30), DateTimeOffset.UtcNow);
            }

            await Simulate.WorkAsync(Step, cancellationToken);
        }
    }

    private static async Task WatchAsync(PulseBoard board, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Simulate.WorkAsync(TimeSpan.FromSeconds(2), cancellationToken);
            _ = board.Points();
        }
    }
}
