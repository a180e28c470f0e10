using System.Diagnostics.Metrics;
using System.Text.Json;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Telemetry;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What the consumer wrote and what the store noted stand or fall together, and what nobody knows is not taken for new.</summary>
public sealed class IdempotencyStoreFailureTests
{
    private static readonly Charge Payment = new("4711", 12.5m);
    private static readonly IdempotencyKey Key = new($"{OnceService.Queue}/{TypeCache<TillConsumer>.ShortName}/{TypeCache<Charge>.ShortName}", Payment.PaymentId);

    [Fact]
    public async Task Enlisted_writes_of_a_failed_run_are_undone()
    {
        var failures = 2;
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await SqliteFile.WriteAsync(await context.EnlistAsync(), "charged");
                await Till.ChargeAsync(context);
                if (Interlocked.Decrement(ref failures) >= 0)
                {
                    throw new TimeoutException();
                }
            },
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(2));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(3);
        service.Effects.ShouldBe(1);
    }

    [Fact]
    public async Task Who_lost_its_lease_writes_and_sends_nothing()
    {
        OnceService? service = null;
        var other = default(IdempotencyVerdict);
        await using var started = service = await OnceService.StartAsync(
            async context =>
            {
                // it sleeps; an hour later by its clock, another process gets the message
                using var store = service!.OpenStore(TimeSpan.FromHours(1));
                other = await store.AcquireAsync(Request(TimeSpan.FromMinutes(1)), default);
                await store.EndAsync(((IdempotencyVerdict.Run)other).Lease, new IdempotencyResult(false, default), null, default);
                await SqliteFile.WriteAsync(await context.EnlistAsync(), "charged");
                await Till.ChargeAsync(context);
            },
            KeyedByPayment,
            retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1));

        using var metrics = new CollectedMetrics(service.Harness.Provider.GetRequiredService<IMeterFactory>());
        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => metrics.Of("retry.idempotency").Count == 2, OnceService.Deadline);
        metrics.Of("retry.idempotency").Select(one => one.Labels["outcome"]).ShouldBe(["first", "duplicate"]);
        other.ShouldBeOfType<IdempotencyVerdict.Run>().IsUncertain.ShouldBeTrue();
        service.Till.Runs.ShouldBe(1);
        service.Effects.ShouldBe(0);
        service.Till.Booked.ShouldBeEmpty();
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_consumer_that_takes_longer_than_its_lease_keeps_it()
    {
        var lease = TimeSpan.FromSeconds(1);
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await Simulate.WorkAsync(lease * 2.5);
                await Till.ChargeAsync(context);
            },
            once =>
            {
                KeyedByPayment(once);
                once.Lease(lease);
            });
        using var metrics = new CollectedMetrics(service.Harness.Provider.GetRequiredService<IMeterFactory>());
        var first = service.RequestAsync(Payment);
        await Eventually.TrueAsync(() => service.Till.Runs == 1, OnceService.Deadline);

        // it finds the key in progress again and again, until it is done
        var second = await service.RequestAsync(Payment);

        second.Message.ShouldBe((await first).Message);
        service.Till.Runs.ShouldBe(1);
        metrics.Of("retry.idempotency").ShouldNotContain(one => (string?)one.Labels["outcome"] == "again");
    }

    /// <summary>Written in one group, the renewal ends with the commit, which comes after the turn: who waited for it first waited for itself.</summary>
    [Fact]
    public async Task A_consumer_that_enlists_while_its_lease_is_being_renewed_does_not_wait_for_itself()
    {
        var renewing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var line = default(IIdempotencyStore);
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                // another's turn: what comes into the line behind it is written together
                var other = await line!.BeginAsync(default);
                await renewing.Task.WaitAsync(OnceService.Deadline);
                var mine = context.EnlistAsync();
                await other.DisposeAsync();
                await SqliteFile.WriteAsync(await mine, "charged");
                await Till.ChargeAsync(context);
            },
            once => once.Lease(TimeSpan.FromSeconds(1)),
            decorate: store => new FailingStore(line = store) { Renewing = () => renewing.TrySetResult() },
            // a clock that stands still: the group takes all of the line
            clock: new FakeTimeProvider(TimeProvider.System.GetUtcNow()));

        await service.RequestAsync(Payment);

        service.Effects.ShouldBe(1);
    }

    [Fact]
    public async Task A_store_that_is_down_is_an_error_and_nothing_runs_meanwhile()
    {
        await using var service = await OnceService.StartAsync(
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(3),
            decorate: store => new FailingStore(store) { AcquireFails = 2 });

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(1);
        service.Harness.GetParked().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_commit_that_happened_but_was_reported_as_an_error_is_found_out()
    {
        await using var service = await OnceService.StartAsync(
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(1),
            decorate: store => new FailingStore(store) { EndFailsAfterCommit = 1 });

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(1);
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
    }

    [Fact]
    public async Task What_the_consumer_threw_is_the_outcome_although_the_roll_back_fails()
    {
        await using var service = await OnceService.StartAsync(
            async context =>
            {
                await context.EnlistAsync();
                throw new TimeoutException("the gateway");
            },
            retry: retry => retry.Immediate(0),
            decorate: store => new FailingStore(store) { RollBackFails = 1 });

        await service.SendAsync(Payment);

        await Eventually.TrueAsync(() => service.Harness.GetParked().Count == 1, OnceService.Deadline);
        service.Harness.GetParked().Single().Exception.ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task After_an_expired_lease_it_runs_again()
    {
        await using var service = await OnceService.StartAsync(once: KeyedByPayment);
        await LeaveUncertainAsync(service);

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task After_an_expired_lease_it_is_parked_where_that_was_chosen()
    {
        await using var service = await OnceService.StartAsync(once: once =>
        {
            KeyedByPayment(once);
            once.AfterExpiredLease(ExpiredLease.Park);
        });
        await LeaveUncertainAsync(service);

        await Should.ThrowAsync<RequestFaultException>(() => service.RequestAsync(Payment));

        service.Till.Runs.ShouldBe(0);
        service.Harness.GetParked().ShouldHaveSingleItem().Reason.ShouldBe(ParkReason.Uncertain);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task After_an_expired_lease_the_target_is_asked(bool happened, int runs)
    {
        await using var service = await OnceService.StartAsync(once: once =>
        {
            KeyedByPayment(once);
            once.AfterExpiredLease<Charge>(async context =>
            {
                if (happened)
                {
                    await context.RespondAsync(new Charged(context.Message.PaymentId, "as the gateway has it"));
                }

                return happened;
            });
        });
        await LeaveUncertainAsync(service);

        var first = await service.RequestAsync(Payment);
        var second = await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(runs);
        second.Message.ShouldBe(first.Message);
        (first.Message.Receipt == "as the gateway has it").ShouldBe(happened);
        // what happened is consumed, although its consumer has not run: it was parked as Unhandled
        await service.StopAsync();
        service.Harness.GetParked().ShouldBeEmpty();
    }

    private static void KeyedByPayment(IdempotencyBuilder once) => once.KeyedBy<Charge>(charge => charge.PaymentId);

    private static IdempotencyRequest Request(TimeSpan lease) =>
        new(Key, CanonicalJson.Hash(JsonSerializer.SerializeToElement(new { paymentId = Payment.PaymentId, amount = "12.5" })), lease);

    // as a process would that got the same message and died
    private static async Task LeaveUncertainAsync(OnceService service)
    {
        using var store = service.OpenStore(TimeSpan.FromHours(-1));
        (await store.AcquireAsync(Request(TimeSpan.FromMinutes(1)), default)).ShouldBeOfType<IdempotencyVerdict.Run>();
    }
}
