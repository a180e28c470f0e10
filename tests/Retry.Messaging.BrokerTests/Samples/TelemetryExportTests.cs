using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Samples;

public sealed class TelemetryExportTests
{
    [Fact]
    [Trait("Category", "Long")]
    public async Task The_sample_exports_where_the_standard_variable_says()
    {
        await using var receiver = new OtlpReceiver();

        var demo = await PaymentsDemo.RunAsync(["--payments", "60", "--seconds", "3"], new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint.AbsoluteUri,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        });

        demo.ExitCode.ShouldBe(0, demo.Output);
        var metrics = receiver.At("/v1/metrics");
        metrics.ShouldContain("retry.attempts");
        metrics.ShouldContain("retry.lateness");
        metrics.ShouldContain("payments-consumer");
        var traces = receiver.At("/v1/traces");
        traces.ShouldContain("retry payments");
        traces.ShouldContain("park payments");
        traces.ShouldContain("payments-producer");
    }
}
