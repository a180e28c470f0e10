using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.RabbitMq.Topology;
using Retry.Messaging.Recurring;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>Eight processes with a clock that goes through a change of Berlin's in half a minute, of which one is killed every other second.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class RecurringKillTests(BrokerFixture broker)
{
    private const int Schedulers = 8;
    private const int Factor = 600;
    private const int Kills = 8;
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>In spring the clock leaves out 2:00 to 3:00, which is 1:00 in UTC; in autumn it shows it twice.</summary>
    [Theory]
    [InlineData("2027-03-27T23:05Z", "2027-03-28T01:00Z")]
    [InlineData("2027-10-30T23:05Z", "2027-10-31T00:30Z")]
    public async Task Over_a_change_of_the_clock_and_kills_each_slot_is_sent_once(string begin, string atHalfPastTwo)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        await raw.DeclareQueueAsync("reports");
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Ladder);
        var clock = new HurryingClock(At(begin), DateTimeOffset.UtcNow.AddSeconds(25), Factor);
        var processes = await Task.WhenAll(Enumerable.Range(0, Schedulers).Select(_ => StartAsync(uri, clock)));
        var since = clock.GetUtcNow();
        await DefineAsync(raw.Connection, clock, ("quarters", "0/15 * * * *"), ("at half past two", "30 2 * * *"));
        var end = At(begin).AddHours(4);
        var random = new Random(8);
        try
        {
            await Eventually.TrueAsync(() => clock.GetUtcNow() >= At(begin), Deadline);
            for (var kill = 0; kill < Kills; kill++)
            {
                await Scenario.PauseAsync(TimeSpan.FromSeconds(2));
                var victim = random.Next(Schedulers);
                var dead = processes[victim];
                dead.Kill();
                processes[victim] = await StartAsync(uri, clock);
                dead.Dispose();
            }

            await Eventually.TrueAsync(() => clock.GetUtcNow() >= end, Deadline);
            var wanted = Enumerable.Range(0, 24 * 4).Select(quarter => At(begin).AddMinutes((15 * quarter) - 5)).Where(slot => slot > since && slot <= end)
                .Select(slot => SlotId.Of("quarters", slot).ToString())
                .Append(SlotId.Of("at half past two", At(atHalfPastTwo)).ToString()).ToList();
            await Eventually.TrueAsync(async () => await raw.CountAsync("reports") >= wanted.Count, Deadline);

            // the clock went on meanwhile
            var messages = (await raw.DrainAsync("reports")).Where(message => SlotOf(message) <= end.ToUnixTimeMilliseconds()).ToList();
            messages.Select(message => message.BasicProperties.MessageId).Distinct().Order().ShouldBe(wanted.Order());
            messages.Count.ShouldBeLessThanOrEqualTo(wanted.Count + (2 * Kills));
            messages.GroupBy(message => message.BasicProperties.MessageId).SelectMany(copies => copies.Skip(1))
                .ShouldAllBe(copy => copy.BasicProperties.Headers!.ContainsKey("retry-repeated"));
            (await raw.CountAsync(BrokerNames.LostQueue)).ShouldBe(0u);
        }
        finally
        {
            foreach (var process in processes)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }

    private static async Task<Process> StartAsync(Uri uri, HurryingClock clock)
    {
        var process = TestProcess.Start(TestProcess.RecurringRole, new Dictionary<string, string>
        {
            [RecurringProcess.BrokerVariable] = uri.AbsoluteUri,
            [RecurringProcess.ClockVariable] = clock.ToString(),
        });
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(RecurringProcess.Ready);
        return process;
    }

    private static async Task DefineAsync(IConnection connection, HurryingClock clock, params (string Name, string Cron)[] recurrences)
    {
        var book = new RecurrenceBook();
        var stream = new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, TimeProvider.System);
        await using var log = await ControlLog.OpenAsync(stream, declare: true, book.Read, () => { }, default);
        var message = RecurringMessage.Of(new KeptProperties { Exchange = string.Empty, RoutingKey = "reports" }, new BasicProperties(), "report"u8.ToArray());
        foreach (var (name, cron) in recurrences)
        {
            var definition = new RecurrenceDefinition { Cron = cron, TimeZone = "Europe/Berlin", Missed = MissedSlots.All, Message = message };
            await new RecurrenceWriter(log, book, "a test", clock).DefineAsync(name, definition, default);
        }
    }

    private static long SlotOf(BasicGetResult message) => (long)message.BasicProperties.Headers!["retry-slot"]!;

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
