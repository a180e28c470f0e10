using System.Diagnostics;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Tests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Telemetry;

/// <summary>One message, one trace, on MassTransit's in-memory transport.</summary>
public sealed class TraceTests : IDisposable
{
    private static readonly ActivitySource Caller = new("test");

    private readonly CollectedSpans _spans = new();
    private readonly Journal _journal = new();

    [Fact]
    public async Task All_attempts_and_the_retries_between_them_are_in_the_trace_of_the_sender()
    {
        await using var service = await StartAsync(retry => retry.Intervals("100ms", "200ms"));
        ActivityTraceId trace;
        using (var caller = Caller.StartActivity("call"))
        {
            trace = caller!.TraceId;
            await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));
        }

        await _journal.Done;
        await service.StopAsync();
        var spans = _spans.Of(trace);
        var retries = spans.Where(span => span.DisplayName == "retry Order").ToList();
        retries.Select(span => span.GetTagItem("retry.attempt")).ShouldBe([1, 2]);
        retries.Select(span => span.GetTagItem("retry.delay")).ShouldBe([0.1, 0.2]);
        retries.ShouldAllBe(span => (string?)span.GetTagItem("retry.reason") == "failed" && (string?)span.GetTagItem("exception.type") == typeof(InvalidOperationException).FullName);
        retries.ShouldAllBe(span => span.Kind == ActivityKind.Producer && span.Source.Name == "Retry.Messaging" && span.Status == ActivityStatusCode.Unset);
        spans.Where(span => span.DisplayName == "Order receive").Select(span => span.GetTagItem("retry.attempt")).ShouldBe([1, 2, 3]);
        ShouldTellNoSecrets(spans);
    }

    [Fact]
    public async Task Parking_and_the_fault_are_in_the_trace_too()
    {
        await using var service = await StartAsync(retry => retry.Retries(1));
        service.Harness.SkipRetryDelays();
        ActivityTraceId trace;
        using (var caller = Caller.StartActivity("call"))
        {
            trace = caller!.TraceId;
            await service.Bus.Publish(new SubmitOrder(NewId.NextGuid()));
        }

        (await service.Harness.Published.Any<Fault<SubmitOrder>>()).ShouldBeTrue();
        await service.StopAsync();
        var spans = _spans.Of(trace);
        var park = spans.Where(span => span.DisplayName == "park Order").ShouldHaveSingleItem();
        park.GetTagItem("retry.reason").ShouldBe("Exhausted");
        park.GetTagItem("retry.attempt").ShouldBe(2);
        spans.Where(span => span.DisplayName.Contains("Fault", StringComparison.Ordinal)).ShouldNotBeEmpty();
        ShouldTellNoSecrets(spans.Where(span => span.Source.Name == "Retry.Messaging"));
    }

    // the first attempt is the root of its trace; without help each later one would be the root of another
    [Fact]
    public async Task A_message_that_was_sent_without_a_trace_has_one_from_its_first_attempt_on()
    {
        await using var service = await StartAsync(retry => retry.Immediate(2), endpointName: "Untraced");
        service.Bus.ConnectPublishObserver(new TraceRemover());

        await service.Bus.Publish(new SubmitOrder(NewId.NextGuid(), FailuresFirst: 2));

        await _journal.Done;
        await service.StopAsync();
        var attempts = _spans.Named("Untraced receive");
        attempts.Count.ShouldBe(3);
        attempts[0].ParentId.ShouldBeNull();
        attempts.Select(span => span.TraceId).Distinct().ShouldHaveSingleItem();
    }

    public void Dispose() => _spans.Dispose();

    // the exception's message is the user's, and so may hold anything
    private static void ShouldTellNoSecrets(IEnumerable<Activity> spans) =>
        spans.Where(span => span.Source.Name == "Retry.Messaging").SelectMany(span => span.TagObjects).ShouldAllBe(tag => !$"{tag.Value}".Contains("failure ", StringComparison.Ordinal));

    private Task<HarnessService> StartAsync(Action<Messaging.MassTransit.GradientRetryOptions> policy, string endpointName = "Order") => HarnessService.StartAsync(
        x =>
        {
            x.AddConsumer<OrderConsumer>().Endpoint(endpoint => endpoint.Name = endpointName);
            x.AddGradientRetry(policy);
        },
        null,
        services => services.AddSingleton(_journal));

    /// <summary>Sends as a service does that has no tracing.</summary>
    private sealed class TraceRemover : IPublishObserver
    {
        public Task PrePublish<T>(PublishContext<T> context)
            where T : class
        {
            context.Headers.Set("MT-Activity-Id", (string?)null);
            return Task.CompletedTask;
        }

        public Task PostPublish<T>(PublishContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PublishFault<T>(PublishContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
