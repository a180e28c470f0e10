using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>Where the filter stands, what is not allowed beside it, and what is a key.</summary>
public sealed class IdempotencyConfigurationTests
{
    private static readonly Charge Payment = new("4711", 12.5m);

    public static TheoryData<string, Action<IRegistrationContext, IReceiveEndpointConfigurator>, string> Mistakes => new()
    {
        { "an outbox", (context, e) => e.UseInMemoryOutbox(context), "found an outbox for Retry.Messaging.Tests.MassTransit.Charge beside UseIdempotency" },
        { "no retry point", (_, e) => e.DisableGradientRetry(), "found UseIdempotency and DisableGradientRetry on one endpoint" },
        { "no lease", (context, e) => e.UseIdempotency(context, once => once.Lease(TimeSpan.Zero)), "found a lease of 00:00:00" },
        { "a short retention", (context, e) => e.UseGradientRetry(context, retry => retry.ValidFor(TimeSpan.FromDays(8))), "wanted a longer retention" },
        { "batches", (_, e) => e.Consumer(() => new Batches()), "wanted a consumer of single messages" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_is_refused_at_the_start(string what, Action<IRegistrationContext, IReceiveEndpointConfigurator> mistake, string expected)
    {
        what.ShouldNotBeEmpty();
        (await Should.ThrowAsync<Exception>(() => OnceService.StartAsync(endpoint: mistake))).ToString().ShouldContain(expected);
    }

    [Fact]
    public async Task Without_a_store_the_start_is_refused_with_the_line_to_add() =>
        (await Should.ThrowAsync<Exception>(() => HarnessService.StartAsync(
            x => x.AddGradientRetry(),
            (context, cfg) => cfg.ReceiveEndpoint("payments", e => e.UseIdempotency(context)),
            _ => { }))).ToString().ShouldContain("services.AddSqliteIdempotency(");

    [Fact]
    public async Task Without_graded_retry_it_is_refused_with_the_line_to_add() =>
        (await Should.ThrowAsync<Exception>(() => HarnessService.StartAsync(
            _ => { },
            (context, cfg) => cfg.ReceiveEndpoint("payments", e => e.UseIdempotency(context)),
            _ => { }))).ToString().ShouldContain("x.AddGradientRetry()");

    [Fact]
    public async Task An_outbox_on_the_consumer_itself_is_refused_at_the_start() =>
        (await Should.ThrowAsync<Exception>(() => OnceService.StartAsync(consumer: (context, consumer) => consumer.UseInMemoryOutbox(context))))
            .ToString().ShouldContain("found an outbox for Retry.Messaging.Tests.MassTransit.Charge beside UseIdempotency");

    [Fact]
    public async Task Outside_of_an_idempotent_consumer_there_is_nothing_to_enlist_in()
    {
        await using var service = await OnceService.StartAsync();
        service.Till.Audit = context => context.EnlistAsync();

        await service.SendAsync(Payment);

        (await service.Harness.Published.Any<Fault<Charge>>()).ShouldBeTrue();
        service.Harness.GetParked().ShouldHaveSingleItem().Exception.Message.ShouldContain("Call UseIdempotency");
    }

    [Fact]
    public async Task A_message_without_the_key_is_parked_and_told_what_is_missing()
    {
        await using var service = await OnceService.StartAsync(once: once => once.KeyedBy<Charge>(charge => charge.PaymentId));

        await service.SendAsync(Payment with { PaymentId = string.Empty });

        (await service.Harness.Published.Any<Fault<Charge>>()).ShouldBeTrue();
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        parked.Reason.ShouldBe(ParkReason.Failed);
        parked.Exception.Message.ShouldStartWith("Found a Retry.Messaging.Tests.MassTransit.Charge without the key that KeyedBy takes from it");
        service.Till.Runs.ShouldBe(0);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task A_message_without_an_id_is_parked_unless_its_content_may_be_its_key(bool byContent, int runs)
    {
        await using var service = await OnceService.StartAsync(once: once =>
        {
            if (byContent)
            {
                once.KeyedByContent();
            }
        });

        await service.Harness.Bus.Publish(Payment, context => context.MessageId = null);
        await service.Harness.Bus.Publish(Payment, context => context.MessageId = null);

        await Eventually.TrueAsync(() => service.Till.Booked.Count + service.Harness.GetParked().Count == 2, OnceService.Deadline);
        service.Till.Runs.ShouldBe(runs);
        service.Harness.GetParked().ShouldAllBe(parked => parked.Exception.Message.Contains("without message id", StringComparison.Ordinal));
        service.Till.Booked.Distinct().Count().ShouldBe(runs);
    }

    [Fact]
    public async Task What_is_injected_into_the_consumer_sends_no_sooner_than_the_consumer_is_done()
    {
        var failures = 1;
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                var injected = context.GetPayload<IServiceProvider>().GetRequiredService<IPublishEndpoint>();
                await injected.Publish(new Booked(context.Message.PaymentId, "injected"));
                if (Interlocked.Decrement(ref failures) >= 0)
                {
                    throw new TimeoutException();
                }
            },
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1));

        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
        await Never.TrueAsync(() => service.Till.Booked.Count > 1, TimeSpan.FromMilliseconds(200));
        service.Till.Runs.ShouldBe(2);
    }

    private sealed class Batches : IConsumer<Batch<Charge>>
    {
        public Task Consume(ConsumeContext<Batch<Charge>> context) => Task.CompletedTask;
    }
}
