using System.Text.Json;
using MassTransit;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>An operator cancels, with the token that a service has written down.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class CancelCommandTests(BrokerFixture broker)
{
    [Fact]
    public async Task An_operator_cancels_and_is_told_what_is_known_of_the_token()
    {
        var uri = await broker.CreateVirtualHostAsync();
        var arrived = new Arrived<Order>();
        await using var service = await ScheduledService.StartAsync(uri, (_, cfg) => cfg.ReceiveEndpoint("orders", e => e.Handler<Order>(arrived.Note)));
        var due = DateTime.UtcNow.AddSeconds(8);
        var first = await service.Scheduler.ScheduleSend(new Uri("queue:orders"), due, new Order(1));
        await service.Scheduler.ScheduleSend(new Uri("queue:orders"), due, new Order(2));

        (await CancelAsync(uri, first.TokenId)).ShouldBe(("cancelled", ScheduleToken.DueOf(first.TokenId)));
        (await CancelAsync(uri, first.TokenId)).Result.ShouldBe("cancelledBefore");
        (await CancelAsync(uri, ScheduleToken.Create(DateTimeOffset.UtcNow.AddMinutes(-1)))).Result.ShouldBe("tooLate");
        (await CancelAsync(uri, Guid.NewGuid())).ShouldBe(("unknown", null));

        (await arrived.OneAsync()).Message.Number.ShouldBe(2);
        await Never.TrueAsync(() => arrived.Count > 1, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task In_a_virtual_host_without_a_scheduler_the_answer_is_no_yes()
    {
        var uri = await broker.CreateVirtualHostAsync();
        using var error = new StringWriter();

        (await RetryCtl.InvokeAsync(["schedule", "cancel", Guid.NewGuid().ToString(), "--broker", uri.ToString()], TextWriter.Null, error)).ShouldBe(ExitCode.Failed);

        error.ToString().ShouldContain("Found no stream 'retry.v1.schedule.cancelled'");
    }

    private static async Task<(string? Result, DateTimeOffset? DueAt)> CancelAsync(Uri uri, Guid token)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        (await RetryCtl.InvokeAsync(["schedule", "cancel", token.ToString(), "--broker", uri.ToString(), "--json"], output, error)).ShouldBe(ExitCode.Done, error.ToString());
        using var answer = JsonDocument.Parse(output.ToString());
        return (
            answer.RootElement.GetProperty("result").GetString(),
            answer.RootElement.TryGetProperty("dueAt", out var due) ? due.GetDateTimeOffset() : null);
    }

    public sealed record Order(int Number);
}
