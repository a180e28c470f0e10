using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>MassTransit's calls for recurring messages, and <c>AddRecurring</c>.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class RecurringTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_is_added_in_code_by_several_instances_recurs_once_a_slot_with_an_id_of_its_own()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var slots = new Slots();
        Task<ScheduledService> StartAsync() => ScheduledService.StartAsync(
            uri,
            (_, cfg) => cfg.ReceiveEndpoint("reports", e => e.Handler<Report>(slots.Note)),
            x => x.AddRecurring("each-second", "* * * * * *", new Report("daily"), r => r.Description = "every second, for a test"));
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        await using var three = await StartAsync();

        await slots.WaitAsync(5, Deadline);

        var seen = slots.All;
        seen.Select(slot => slot.Id).ShouldBeUnique();
        seen.ShouldAllBe(slot => slot.Text == "daily" && slot.At >= slot.DueAt && slot.At - slot.DueAt < TimeSpan.FromSeconds(5));
        var due = seen.Select(slot => slot.DueAt).Order().ToList();
        due.Zip(due.Skip(1)).ShouldAllBe(pair => pair.Second - pair.First == TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task The_calls_of_MassTransit_schedule_pause_resume_and_cancel()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var slots = new Slots();
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) => cfg.ReceiveEndpoint("reports", e => e.Handler<Report>(slots.Note)));
        await using var scope = service.Services.CreateAsyncScope();
        var recurring = scope.ServiceProvider.GetRequiredService<IRecurringMessageScheduler>();

        var scheduled = await recurring.ScheduleRecurringSend(
            new Uri("queue:reports"),
            new EachSecond(),
            new Report("sent"),
            Pipe.Execute<SendContext>(context => context.Headers.Set("tenant", "eu")));
        await slots.WaitAsync(2, Deadline);
        slots.All.ShouldAllBe(slot => slot.Tenant == "eu" && slot.ScheduleId == nameof(EachSecond));

        // when the call returns the pause stands in the log; what was on its way arrives
        await service.Bus.PauseScheduledRecurringSend(scheduled);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(1.5));
        var paused = slots.All.Count;
        await Never.TrueAsync(() => slots.All.Count > paused, TimeSpan.FromSeconds(3));
        await service.Bus.ResumeScheduledRecurringSend(scheduled);
        await slots.WaitAsync(paused + 2, Deadline);

        await service.Bus.CancelScheduledRecurringSend(scheduled);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(1.5));
        var cancelled = slots.All.Count;
        await Never.TrueAsync(() => slots.All.Count > cancelled, TimeSpan.FromSeconds(3));
        slots.All.Select(slot => slot.Id).ShouldBeUnique();
    }

    [Fact]
    public async Task From_a_consumer_a_recurring_publish_reaches_all_that_subscribe()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var (one, two) = (new Slots(), new Slots());
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) =>
        {
            cfg.ReceiveEndpoint("commands", e => e.Handler<Begin>(context =>
                context.ScheduleRecurringSend(new Uri("exchange:" + cfg.MessageTopology.EntityNameFormatter.FormatEntityName<Report>()), new EachSecond(), new Report("published"))));
            cfg.ReceiveEndpoint("one", e => e.Handler<Report>(one.Note));
            cfg.ReceiveEndpoint("two", e => e.Handler<Report>(two.Note));
        });
        await using var scope = service.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IRecurringMessageScheduler>().ScheduleRecurringPublish(new EachSecond(), new Report("published"));
        await one.WaitAsync(2, Deadline);
        await two.WaitAsync(2, Deadline);

        // the same name is the same recurrence
        await service.Bus.Publish(new Begin());
        await Scenario.PauseAsync(TimeSpan.FromSeconds(2));
        await one.WaitAsync(4, Deadline);

        one.All.Select(slot => slot.DueAt).ShouldBeUnique();
    }

    [Theory]
    [InlineData("61 * * * *", "UTC", "61 * * * *")]
    [InlineData("* * * * *", "Europe/Atlantis", "Europe/Atlantis")]
    public async Task A_call_with_times_that_make_no_sense_fails(string cron, string zone, string named)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var service = await ScheduledService.StartAsync(uri, (_, _) => { });
        await using var scope = service.Services.CreateAsyncScope();
        var recurring = scope.ServiceProvider.GetRequiredService<IRecurringMessageScheduler>();

        var failure = await Should.ThrowAsync<TransportException>(
            () => recurring.ScheduleRecurringSend(new Uri("queue:reports"), new EachSecond(cron, zone), new Report("never")).WaitAsync(Deadline));

        failure.Message.ShouldContain(named);
    }

    public sealed record Report(string Text);

    public sealed record Begin;

    private sealed class EachSecond : DefaultRecurringSchedule
    {
        public EachSecond(string cron = "0/1 * * * * ?", string zone = "Europe/Berlin")
        {
            ScheduleId = nameof(EachSecond);
            CronExpression = cron;
            TimeZoneId = zone;
        }
    }

    private sealed record Slot(Guid Id, string Text, DateTimeOffset DueAt, DateTimeOffset At, string? Tenant, string? ScheduleId);

    private sealed class Slots
    {
        private readonly ConcurrentQueue<Slot> _slots = new();

        public IReadOnlyList<Slot> All => [.. _slots];

        public Task Note(ConsumeContext<Report> context)
        {
            _slots.Enqueue(new Slot(
                context.MessageId!.Value,
                context.Message.Text,
                DateTimeOffset.FromUnixTimeMilliseconds(context.Headers.Get<long>("retry-slot")!.Value),
                DateTimeOffset.UtcNow,
                context.Headers.Get<string>("tenant"),
                context.Headers.Get<string>(MessageHeaders.Quartz.ScheduleId)));
            return Task.CompletedTask;
        }

        public Task WaitAsync(int count, TimeSpan deadline) => Eventually.TrueAsync(() => _slots.Count >= count, deadline, () => $"{_slots.Count} of {count} arrived");
    }
}
