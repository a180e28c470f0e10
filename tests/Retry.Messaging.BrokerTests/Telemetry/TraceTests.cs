using System.Diagnostics;
using System.Text;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Tests.Telemetry;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Telemetry;

/// <summary>One message, one trace: from its first attempt to its replay.</summary>
[Collection(SharedBroker.Name)]
public sealed class TraceTests(BrokerFixture broker) : IDisposable
{
    private const string Secret = "card number 4111";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly ActivitySource Caller = new("test");

    private readonly CollectedSpans _spans = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    [Fact]
    public async Task A_message_that_fails_twice_and_is_done_is_one_trace()
    {
        await using var service = await StartAsync(await broker.CreateVirtualHostAsync(), failures: 2);

        var trace = await PublishTracedAsync(service);

        await _done.Task.WaitAsync(Deadline);
        await service.StopAsync();
        var retries = _spans.Of(trace).Where(span => span.DisplayName == "retry orders").ToList();
        retries.Select(span => span.GetTagItem("retry.attempt")).ShouldBe([1, 2]);
        // The delay counts from the failure: what the first publish took of it, on a machine that is busy, is not on the ladder.
        ((double)retries[0].GetTagItem("retry.delay")!).ShouldBeLessThanOrEqualTo(0.1);
        retries[1].GetTagItem("retry.delay").ShouldBe(1.2);
        retries[1].GetTagItem("retry.entry").ShouldBe("retry.v1.s");
        retries[1].GetTagItem("messaging.rabbitmq.destination.routing_key").ShouldBe("0.0.0.0.0.0.1.2.orders");
        retries.ShouldAllBe(span => (string?)span.GetTagItem("retry.reason") == "failed" && (string?)span.GetTagItem("messaging.system") == "rabbitmq");
        _spans.Of(trace).Where(span => span.DisplayName == "orders receive").Select(span => span.GetTagItem("retry.attempt")).ShouldBe([1, 2, 3]);
        ShouldTellNoSecrets(trace);
    }

    [Fact]
    public async Task A_message_that_is_parked_and_replayed_is_one_trace()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await StartAsync(uri, failures: 3);
        var trace = await PublishTracedAsync(service);
        await raw.WaitForCountAsync("orders.parked", 1, Deadline);

        // as a service does it for an operator, whose request is a trace of its own
        ActivityTraceId operators;
        using (var request = Caller.StartActivity("replay request"))
        {
            operators = request!.TraceId;
            await foreach (var _ in new ParkingLot(raw.Connection).ReplayAsync("orders", ParkedFilter.All, new ReplayOptions { PlanId = "after the fix" }))
            {
            }
        }

        await _done.Task.WaitAsync(Deadline);
        await service.StopAsync();
        var spans = _spans.Of(trace);
        var park = spans.Where(span => span.DisplayName == "park orders").ShouldHaveSingleItem();
        park.GetTagItem("retry.reason").ShouldBe("Exhausted");
        park.GetTagItem("retry.attempt").ShouldBe(3);
        var replay = spans.Where(span => span.DisplayName == "replay orders").ShouldHaveSingleItem();
        replay.GetTagItem("retry.plan").ShouldBe("after the fix");
        replay.GetTagItem("retry.replayed").ShouldBe(1);
        replay.Links.ShouldHaveSingleItem().Context.TraceId.ShouldBe(operators);
        spans.Where(span => span.DisplayName == "orders receive").Select(span => span.GetTagItem("retry.attempt")).ShouldBe([1, 2, 3, 1]);
        ShouldTellNoSecrets(trace);
    }

    // MassTransit looks for MT-Activity-Id alone, so each delivery of this one would be a trace of its own
    [Fact]
    public async Task A_message_from_another_client_is_one_trace_from_its_first_attempt_through_its_replay()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await using var service = await StartAsync(uri, failures: 3, queue: "foreign", isForeign: true);

        await raw.PublishAsync(string.Empty, "foreign", Encoding.UTF8.GetBytes("""{"id":"o-1"}"""), new BasicProperties { ContentType = "application/json" });

        await raw.WaitForCountAsync("foreign.parked", 1, Deadline);
        await foreach (var _ in new ParkingLot(raw.Connection).ReplayAsync("foreign", ParkedFilter.All))
        {
        }

        await _done.Task.WaitAsync(Deadline);
        await service.StopAsync();
        var attempts = _spans.Named("foreign receive");
        attempts.Count.ShouldBe(4);
        attempts.Select(span => span.TraceId).Distinct().ShouldHaveSingleItem();
        _spans.Of(attempts[0].TraceId).Count(span => span.Source.Name == "Retry.Messaging").ShouldBe(4); // two retries, park, replay
    }

    public void Dispose() => _spans.Dispose();

    private static async Task<ActivityTraceId> PublishTracedAsync(RetryService service)
    {
        using var caller = Caller.StartActivity("call");
        await service.Bus.Publish(new Order("o-1", Secret));
        return caller!.TraceId;
    }

    private void ShouldTellNoSecrets(ActivityTraceId trace) =>
        _spans.Of(trace).Where(span => span.Source.Name == "Retry.Messaging").SelectMany(span => span.TagObjects).ShouldAllBe(tag => !$"{tag.Value}".Contains(Secret, StringComparison.Ordinal));

    private Task<RetryService> StartAsync(Uri uri, int failures, string queue = "orders", bool isForeign = false) => RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint(queue, e =>
    {
        if (isForeign)
        {
            e.UseRawJsonDeserializer(RawSerializerOptions.AnyMessageType, isDefault: true);
        }

        e.UseGradientRetry(context, retry => retry.Intervals("100ms", "1.2s"));
        e.Handler<Order>(order =>
        {
            if (Interlocked.Increment(ref _runs) <= failures)
            {
                throw new InvalidOperationException($"refused: {order.Message.Card}");
            }

            _done.SetResult();
            return Task.CompletedTask;
        });
    }));

    public sealed record Order(string Id, string? Card = null);
}
