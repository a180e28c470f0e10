using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>What happens to a delivery that has waited beyond its validity.</summary>
public sealed class OutlivedDeliveriesTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly RetryMetrics _metrics = new();
    private readonly List<string> _steps = [];

    [Theory]
    [InlineData(-3600, true)]
    [InlineData(-6, true)]
    [InlineData(-5, false)]
    [InlineData(0, false)]
    [InlineData(3600, false)]
    public async Task It_is_parked_and_not_run(int deadlineIn, bool expected)
    {
        (await ParkAsync(RetryState.Fresh with { Attempt = 3, Deadline = _clock.GetUtcNow().AddSeconds(deadlineIn) })).ShouldBe(expected);

        _steps.Contains("parked").ShouldBe(expected);
    }

    [Fact]
    public async Task A_first_delivery_has_no_validity_yet()
    {
        (await ParkAsync(RetryState.Fresh)).ShouldBeFalse();

        _steps.ShouldBeEmpty();
    }

    public void Dispose() => _metrics.Dispose();

    private async Task<bool> ParkAsync(RetryState state)
    {
        var settler = new OutcomeSettler("orders", new RetryReporter("orders", _clock, NullLogger<RetryReporter>.Instance), _clock, NullLogger.Instance);
        var delivery = new RecordedDelivery(_steps)
        {
            Telemetry = new PointTelemetry(_metrics, new PointHealth("orders", _clock), _clock),
            State = state,
        };
        return await new OutlivedDeliveries("orders", settler, _clock).ParkAsync(delivery, _ => new RecordedAttempt(_steps), CancellationToken.None);
    }
}
