using MassTransit;
using MassTransit.Testing;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A duplicate is answered like the first, and its consumer does not run.</summary>
public sealed class IdempotencyTests
{
    private static readonly Charge Payment = new("4711", 12.5m);

    [Fact]
    public async Task A_duplicate_gets_the_same_answers_and_each_requester_its_own()
    {
        await using var service = await OnceService.StartAsync();
        var id = NewId.NextGuid();

        var first = await service.RequestAsync(Payment, id);
        var second = await service.RequestAsync(Payment, id);

        service.Till.Runs.ShouldBe(1);
        second.Message.ShouldBe(first.Message);
        second.MessageId.ShouldBe(first.MessageId);
        second.RequestId.ShouldNotBe(first.RequestId);
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 2, OnceService.Deadline);
        service.Till.Booked.Distinct().ShouldHaveSingleItem().CorrelationId.ShouldNotBeNull();
    }

    [Fact]
    public async Task An_honest_resend_with_a_new_message_id_is_a_duplicate_under_a_business_key()
    {
        await using var service = await OnceService.StartAsync(once: once => once.KeyedBy<Charge>(charge => charge.PaymentId));

        var first = await service.RequestAsync(Payment);
        var second = await service.RequestAsync(Payment);
        var third = await service.RequestAsync(Payment with { PaymentId = "4712" });

        service.Till.Runs.ShouldBe(2);
        second.Message.ShouldBe(first.Message);
        third.Message.Receipt.ShouldNotBe(first.Message.Receipt);
    }

    [Fact]
    public async Task Other_content_under_one_key_is_parked_and_never_answered_with_anothers_answer()
    {
        await using var service = await OnceService.StartAsync(once: once => once.KeyedBy<Charge>(charge => charge.PaymentId));
        await service.RequestAsync(Payment);

        var refused = await Should.ThrowAsync<RequestFaultException>(() => service.RequestAsync(Payment with { Amount = 1250m }));

        service.Till.Runs.ShouldBe(1);
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        parked.Reason.ShouldBe(ParkReason.KeyReused);
        parked.State.Error.ShouldNotBeNull().ShouldContain("Found other content under the key '4711'");
        refused.Fault!.Exceptions.ShouldHaveSingleItem().Message.ShouldContain("this one has not run");
    }

    [Fact]
    public async Task What_is_left_out_of_the_content_may_differ()
    {
        await using var service = await OnceService.StartAsync(once: once =>
        {
            once.KeyedBy<Charge>(charge => charge.PaymentId);
            once.HashedBy<Charge>(charge => new { charge.PaymentId });
        });
        await service.RequestAsync(Payment);

        await service.RequestAsync(Payment with { Amount = 13m });

        service.Till.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task Our_own_retry_is_no_duplicate_of_itself_and_what_a_failed_run_sent_is_not_sent()
    {
        var failures = 2;
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await Till.ChargeAsync(context);
                if (Interlocked.Decrement(ref failures) >= 0)
                {
                    throw new TimeoutException("the gateway does not answer");
                }
            },
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(3);
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
        await Never.TrueAsync(() => service.Till.Booked.Count > 1, TimeSpan.FromMilliseconds(200));
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_permanent_failure_is_remembered()
    {
        await using var service = await OnceService.StartAsync(
            _ => throw new InvalidOperationException("card declined"),
            retry: retry => retry.Fail<InvalidOperationException>());
        var id = NewId.NextGuid();
        await Should.ThrowAsync<RequestFaultException>(() => service.RequestAsync(Payment, id));

        var again = await Should.ThrowAsync<RequestFaultException>(() => service.RequestAsync(Payment, id));

        service.Till.Runs.ShouldBe(1);
        again.Fault!.Exceptions.ShouldHaveSingleItem().Message.ShouldContain("card declined");
        service.Harness.GetParked().Select(parked => parked.Reason).ShouldBe([ParkReason.Failed, ParkReason.Failed]);
    }

    [Fact]
    public async Task Of_two_consumers_the_one_that_succeeded_is_skipped_when_the_message_returns_for_the_other()
    {
        var failures = 1;
        await using var service = await OnceService.StartAsync(
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1),
            endpoint: (context, e) => e.ConfigureConsumer<AuditConsumer>(context));
        service.Till.Audit = _ => Interlocked.Decrement(ref failures) >= 0 ? throw new TimeoutException() : Task.CompletedTask;

        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => service.Till.Audits == 2 && service.Till.Booked.Count == 2, OnceService.Deadline);
        service.Till.Runs.ShouldBe(1);
        service.Till.Booked.Distinct().Count().ShouldBe(1);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_in_progress_elsewhere_comes_back_without_using_an_attempt()
    {
        var goOn = new TaskCompletionSource();
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await goOn.Task.WaitAsync(context.CancellationToken);
                await Till.ChargeAsync(context);
            },
            skipDelays: false);
        var id = NewId.NextGuid();
        var first = service.RequestAsync(Payment, id);
        await Eventually.TrueAsync(() => service.Till.Runs == 1, OnceService.Deadline);

        var second = service.RequestAsync(Payment, id);
        await Never.TrueAsync(() => second.IsCompleted, TimeSpan.FromMilliseconds(300), () => second.Exception?.Message ?? "it was answered");
        goOn.SetResult();

        (await second).Message.ShouldBe((await first).Message);
        service.Till.Runs.ShouldBe(1);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_its_consumer_had_redelivered_is_not_done()
    {
        await using var service = await OnceService.StartAsync(
            context => context.GetRedeliveryCount() == 0 ? context.Redeliver(TimeSpan.FromMilliseconds(100)) : Till.ChargeAsync(context),
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(2);
    }

    /// <summary>Its own answer, it would be a duplicate that is answered by sending it again, without end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_its_consumer_sent_to_itself_for_later_is_not_done_and_runs_when_it_returns(bool deferred)
    {
        OnceService? service = null;
        await using var started = service = await OnceService.StartAsync(
            async context =>
            {
                if (service!.Till.Runs > 1)
                {
                    await Till.ChargeAsync(context);
                }
                else if (deferred)
                {
                    await context.Defer(TimeSpan.FromMilliseconds(100));
                }
                else
                {
                    await context.Send(context.ReceiveContext.InputAddress, context.Message);
                }
            },
            once => once.KeyedBy<Charge>(charge => charge.PaymentId));

        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
        await Never.TrueAsync(() => service.Till.Booked.Count > 1 || service.Till.Runs > 2, TimeSpan.FromMilliseconds(500));
        service.Till.Runs.ShouldBe(2);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_immediate_retry_on_the_consumer_itself_starts_over()
    {
        var failures = 1;
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await Till.ChargeAsync(context);
                if (Interlocked.Decrement(ref failures) >= 0)
                {
                    throw new TimeoutException();
                }
            },
            consumer: (_, consumer) => consumer.UseMessageRetry(immediate => immediate.Immediate(2)));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(2);
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
        await Never.TrueAsync(() => service.Till.Booked.Count > 1, TimeSpan.FromMilliseconds(200));
    }
}
