using MassTransit;
using MassTransit.Testing;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What an idempotent consumer says keeps what it wrote and sent; FAIL is remembered, what comes back is not.</summary>
public sealed class SaidByIdempotentConsumerTests
{
    private static readonly Charge Payment = new("4711", 12.5m);

    [Fact]
    public async Task Fail_commits_is_remembered_and_its_duplicates_get_the_same_answers()
    {
        await using var service = await OnceService.StartAsync(async context =>
        {
            await SqliteFile.WriteAsync(await context.EnlistAsync(), "declined");
            await Till.ChargeAsync(context);
            context.Fail("card declined");
        });
        var id = NewId.NextGuid();

        var first = await service.RequestAsync(Payment, id);
        // the answer goes out before its message is parked, and the duplicate could be parked before it
        await Eventually.TrueAsync(() => service.Harness.GetParked().Count == 1, OnceService.Deadline);
        var second = await service.RequestAsync(Payment, id);

        service.Till.Runs.ShouldBe(1);
        service.Effects.ShouldBe(1);
        second.Message.ShouldBe(first.Message);
        second.MessageId.ShouldBe(first.MessageId);
        await Eventually.TrueAsync(() => service.Harness.GetParked().Count == 2, OnceService.Deadline);
        service.Harness.GetParked().ShouldAllBe(parked => parked.Reason == ParkReason.Failed);
        service.Harness.GetParked()[1].State.Error.ShouldNotBeNull().ShouldContain("has failed before, and this is a duplicate of it: Retry.Messaging.MassTransit.FailSaidException: card declined.");
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 2, OnceService.Deadline);
        service.Till.Booked.Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Error_and_postpone_keep_what_was_written_and_are_not_remembered()
    {
        OnceService? service = null;
        await using var started = service = await OnceService.StartAsync(
            async context =>
            {
                await SqliteFile.WriteAsync(await context.EnlistAsync(), "tried");
                switch (service!.Till.Runs)
                {
                    case 1:
                        context.Error("no answer");
                        break;
                    case 2:
                        context.Postpone(TimeSpan.FromSeconds(1));
                        break;
                    default:
                        await Till.ChargeAsync(context);
                        break;
                }
            },
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(3);
        service.Effects.ShouldBe(3);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_said_in_a_run_that_starts_over_counts_for_nothing()
    {
        var failures = 1;
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                if (Interlocked.Decrement(ref failures) >= 0)
                {
                    context.Fail("said before it threw");
                    throw new TimeoutException();
                }

                await Till.ChargeAsync(context);
            },
            consumer: (_, consumer) => consumer.UseMessageRetry(immediate => immediate.Immediate(2)));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(2);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_two_consumers_the_one_that_succeeded_is_skipped_when_the_message_returns_for_what_the_other_said()
    {
        OnceService? service = null;
        await using var started = service = await OnceService.StartAsync(
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1),
            endpoint: (context, e) => e.ConfigureConsumer<AuditConsumer>(context));
        service.Till.Audit = context =>
        {
            if (service.Till.Audits == 1)
            {
                context.Error("no answer");
            }

            return Task.CompletedTask;
        };

        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => service.Till.Audits == 2 && service.Till.Booked.Count == 2, OnceService.Deadline);
        service.Till.Runs.ShouldBe(1);
        service.Till.Booked.Distinct().Count().ShouldBe(1);
        service.Harness.GetParked().ShouldBeEmpty();
    }
}
