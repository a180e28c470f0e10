using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.RabbitMq.Scheduling;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>docs/telemetry.md names every instrument, and no other.</summary>
public sealed class InstrumentTableTests
{
    [Fact]
    public void The_table_and_the_instruments_are_the_same_set()
    {
        using var metrics = new RetryMetrics();
        RuntimeHelpers.RunClassConstructor(typeof(LimiterMetrics).TypeHandle);
        RuntimeHelpers.RunClassConstructor(typeof(ScheduleMetrics).TypeHandle);
        var found = new HashSet<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == "Retry.Messaging")
                {
                    found.Add($"{instrument.Name}, {KindOf(instrument)}, {instrument.Unit}");
                    instrument.Description.ShouldNotBeNullOrEmpty(instrument.Name);
                }
            },
        };
        listener.Start();

        Documented().ShouldBe(found, ignoreOrder: true);
    }

    private static IEnumerable<string> Documented() => File.ReadLines(Path.Combine(Repository.Root, "docs/telemetry.md"))
        .SkipWhile(line => line != "## Instruments")
        .Skip(1)
        .TakeWhile(line => !line.StartsWith('#'))
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .Select(cells => $"{cells[1].Trim('`')}, {cells[2]}, {cells[3].Trim('`')}");

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" => "counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "gauge",
        "ObservableUpDownCounter" => "up-down counter",
        var other => other,
    };
}
