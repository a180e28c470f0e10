using MassTransit;
using Microsoft.EntityFrameworkCore;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A DbContext of EF Core on the store's connection and transaction: what it saves, the mark and the answers stand or fall together.</summary>
public sealed class EntityFrameworkTests
{
    private static readonly Charge Payment = new("4711", 12.5m);

    [Fact]
    public async Task What_a_DbContext_saves_commits_with_the_mark_and_the_answers_and_not_before()
    {
        OnceService? service = null;
        var committedBefore = -1;
        await using var started = service = await OnceService.StartAsync(async context =>
        {
            await SaveAsync(await context.EnlistAsync());
            await Till.ChargeAsync(context);
            committedBefore = service!.Effects;
        });
        var id = NewId.NextGuid();

        var first = await service.RequestAsync(Payment, id);
        var second = await service.RequestAsync(Payment, id);

        committedBefore.ShouldBe(0);
        service.Effects.ShouldBe(1);
        service.Till.Runs.ShouldBe(1);
        second.Message.ShouldBe(first.Message);
    }

    /// <summary>The consumer fails once by itself, and once because the database refuses what another DbContext saves.</summary>
    [Fact]
    public async Task What_a_DbContext_has_saved_is_undone_with_the_answers_when_the_consumer_fails()
    {
        OnceService? service = null;
        await using var started = service = await OnceService.StartAsync(
            async context =>
            {
                var transaction = await context.EnlistAsync();
                var number = await SaveAsync(transaction);
                await Till.ChargeAsync(context);
                if (service!.Till.Runs == 1)
                {
                    throw new TimeoutException("the gateway does not answer");
                }

                if (service.Till.Runs == 2)
                {
                    await SaveAsync(transaction, number);
                }
            },
            retry: retry => retry.Fixed(TimeSpan.FromSeconds(1)).Retries(2));

        await service.RequestAsync(Payment);

        service.Till.Runs.ShouldBe(3);
        service.Effects.ShouldBe(1);
        await Eventually.TrueAsync(() => service.Till.Booked.Count == 1, OnceService.Deadline);
        await Never.TrueAsync(() => service.Till.Booked.Count > 1, TimeSpan.FromMilliseconds(200));
    }

    private static async Task<long> SaveAsync(IdempotencyTransaction transaction, long number = 0)
    {
        await using var shop = new Shop(transaction);
        await shop.Database.UseTransactionAsync(transaction.Transaction);
        var effect = shop.Add(new Effect { Number = number, What = "charged" }).Entity;
        await shop.SaveChangesAsync();
        return effect.Number;
    }

    private sealed class Effect
    {
        public long Number { get; set; }

        public required string What { get; set; }
    }

    private sealed class Shop(IdempotencyTransaction transaction) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder options) => options.UseSqlite(transaction.Connection);

        protected override void OnModelCreating(ModelBuilder model) => model.Entity<Effect>(effect =>
        {
            effect.ToTable("effects").HasKey(one => one.Number);
            effect.Property(one => one.Number).HasColumnName("rowid");
            effect.Property(one => one.What).HasColumnName("what");
        });
    }
}
