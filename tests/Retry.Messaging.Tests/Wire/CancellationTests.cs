using System.Text;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class CancellationTests
{
    private static readonly Cancellation One = new(Guid.Parse("0193c1d2-0000-85c4-8000-0123456789ab"), new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(10));

    [Fact]
    public void What_is_written_is_read_as_it_comes_from_the_broker() =>
        Cancellation.Read(new Dictionary<string, object?> { ["retry-cancelled"] = Encoding.UTF8.GetBytes(One.Write()) }).ShouldBe(One);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0193c1d2000085c480000123456789ab")]
    [InlineData("0193c1d2000085c480000123456789ab x")]
    [InlineData("x 1")]
    [InlineData("0193c1d2000085c480000123456789ab -1")]
    [InlineData("0193c1d2000085c480000123456789ab 1 2")]
    public void What_makes_no_sense_is_none(string? text) =>
        Cancellation.Read(new Dictionary<string, object?> { ["retry-cancelled"] = text }).ShouldBeNull();

    [Fact]
    public void A_time_beyond_all_times_is_the_last_one() =>
        Cancellation.Read(new Dictionary<string, object?> { ["retry-cancelled"] = $"{One.Token:N} {long.MaxValue}" })!.Value.At.Year.ShouldBe(9999);
}
