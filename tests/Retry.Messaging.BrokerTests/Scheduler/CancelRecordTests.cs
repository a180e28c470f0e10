using System.Diagnostics;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>The stream of the cancelled on a broker.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class CancelRecordTests(BrokerFixture broker, ITestOutputHelper output) : ICancellationObserver
{
    private readonly List<string> _failures = [];

    [Fact]
    public async Task What_was_cancelled_is_read_before_the_first_message() => await OpenWithAsync(2_000);

    [Fact]
    [Trait("Category", "Long")]
    public async Task With_100_000_cancellations_on_record_a_dispatcher_is_ready_within_five_seconds() =>
        (await OpenWithAsync(100_000)).ShouldBeLessThan(TimeSpan.FromSeconds(5));

    void ICancellationObserver.Cancelled(Cancellation cancellation, bool isNew) => _failures.Add("It was told although it was on record.");

    void ICancellationObserver.Waits(string reason) => output.WriteLine(reason);

    void ICancellationObserver.Failed(string reason) => _failures.Add(reason);

    private async Task<TimeSpan> OpenWithAsync(int count)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var writing = new RecordStream(raw.Connection, BrokerNames.CancelledStream, CancellationLog.Retention, TimeProvider.System);
        await writing.DeclareAsync(CancellationToken.None);
        await using var publisher = new ConfirmedPublisher(raw.Connection);
        var tokens = Enumerable.Range(0, count).Select(_ => ScheduleToken.Create(DateTimeOffset.UtcNow.AddDays(1))).ToList();
        await Task.WhenAll(tokens.Select(token => publisher.PublishAsync(string.Empty, BrokerNames.CancelledStream, CancellationRecords.One(new(token, DateTimeOffset.UtcNow)), default, CancellationToken.None)));
        await using var other = await RawClient.ConnectAsync(uri);

        var clock = Stopwatch.StartNew();
        var stream = new RecordStream(other.Connection, BrokerNames.CancelledStream, CancellationLog.Retention, TimeProvider.System);
        await using var log = await CancellationLog.OpenAsync(stream, isDispatcher: true, this, TimeProvider.System, CancellationToken.None);
        var took = clock.Elapsed;

        output.WriteLine($"{count} cancellations on record: ready after {took.TotalSeconds:0.00} s");
        tokens.ShouldAllBe(token => log.Has(token, null));
        _failures.ShouldBeEmpty();
        return took;
    }
}
