using Retry.Messaging.RabbitMq.Scheduling;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Scheduling;

public class CancelWatchTests
{
    private static readonly DateTimeOffset Due = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly CancelWatch _watch = new();
    private readonly Guid _token = Guid.NewGuid();

    [Fact]
    public void A_cancel_without_a_message_is_told_once_a_minute_after_it_was_due()
    {
        _watch.Cancelled(_token, Due);

        _watch.Unknown(Due.AddSeconds(59)).ShouldBeEmpty();
        _watch.Unknown(Due.AddSeconds(60)).ShouldBe([_token]);
        _watch.Unknown(Due.AddSeconds(61)).ShouldBeEmpty();
    }

    [Fact]
    public void One_whose_message_has_come_is_not_told()
    {
        _watch.Cancelled(_token, Due);
        _watch.Met(_token);

        _watch.Unknown(Due.AddHours(1)).ShouldBeEmpty();
    }

    [Fact]
    public void The_end_of_all_times_does_not_come()
    {
        _watch.Cancelled(_token, DateTimeOffset.MaxValue);

        _watch.Unknown(DateTimeOffset.MaxValue).ShouldBeEmpty();
    }
}
