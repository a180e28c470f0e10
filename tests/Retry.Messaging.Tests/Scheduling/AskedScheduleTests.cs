using MassTransit;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using Retry.Messaging.MassTransit.Scheduling;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class AskedScheduleTests
{
    private static readonly DateTimeOffset Due = new DateTimeOffset(DateTime.UtcNow.Ticks, TimeSpan.Zero).AddMinutes(10);
    private static readonly DateTimeOffset AnHourLater = Due.AddHours(1);
    private readonly RabbitMqMessageSendContext<Order> _context = new(new BasicProperties(), "orders", new Order(1), CancellationToken.None);

    [Fact]
    public async Task Due_is_the_moment_that_was_asked_for_however_late_the_send_is()
    {
        var token = ScheduleToken.Create(Due);
        await AskAsync(token);

        AskedSchedule.Take(_context, AnHourLater).ShouldBe(new AskedSchedule(Due, token, null));
        _context.Headers.TryGetHeader("retry-schedule-asked", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_callers_own_token_comes_with_the_moment_of_the_call()
    {
        var before = DateTimeOffset.UtcNow;
        await AskAsync(Guid.NewGuid());

        AskedSchedule.Take(_context, AnHourLater).AskedAt!.Value.ShouldBeInRange(before.AddMilliseconds(-1), DateTimeOffset.UtcNow.AddMilliseconds(1));
    }

    [Fact]
    public void A_delay_of_its_own_counts_from_now_and_cannot_be_cancelled()
    {
        _context.Delay = TimeSpan.FromSeconds(5);
        _context.Headers.Set(MessageHeaders.SchedulingTokenId, Guid.NewGuid().ToString());

        AskedSchedule.Take(_context, Due).ShouldBe(new AskedSchedule(Due.AddSeconds(5), null, null));
    }

    /// <summary>The headers of the message before, and a delay of its own.</summary>
    [Fact]
    public async Task What_is_redelivered_is_not_due_when_the_one_before_was()
    {
        await AskAsync(ScheduleToken.Create(Due));
        _context.Delay = TimeSpan.FromSeconds(5);

        AskedSchedule.Take(_context, AnHourLater).ShouldBe(new AskedSchedule(AnHourLater.AddSeconds(5), null, null));
        _context.Headers.TryGetHeader("retry-schedule-asked", out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("x y")]
    [InlineData("1 x")]
    [InlineData("9223372036854775807 50000000")]
    [InlineData("x 50000000")]
    [InlineData("1 50000000 3")]
    public void A_header_that_makes_no_sense_says_nothing(string text)
    {
        _context.Delay = TimeSpan.FromSeconds(5);
        _context.Headers.Set("retry-schedule-asked", text);

        AskedSchedule.Take(_context, Due).Due.ShouldBe(Due.AddSeconds(5));
    }

    [Fact]
    public void A_delay_without_end_is_due_at_the_end_of_all_times()
    {
        _context.Delay = TimeSpan.MaxValue;

        AskedSchedule.Take(_context, Due).Due.ShouldBe(DateTimeOffset.MaxValue);
    }

    private Task AskAsync(Guid token)
    {
        IPipe<SendContext<Order>> pipe = new AskedSendPipe<Order>(Pipe.Empty<SendContext<Order>>(), Due.UtcDateTime, Due) { ScheduledMessageId = token };
        return pipe.Send(_context);
    }

    private sealed record Order(int Number);
}
