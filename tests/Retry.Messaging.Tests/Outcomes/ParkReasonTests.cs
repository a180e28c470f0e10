using FsCheck;
using FsCheck.Fluent;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Outcomes;

public class ParkReasonTests
{
    [Fact]
    public void Known_reasons_come_back_from_their_names_in_any_case()
    {
        ParkReason.Known.Count.ShouldBe(10);
        foreach (var reason in ParkReason.Known)
        {
            reason.IsKnown.ShouldBeTrue();
            ParkReason.Parse(reason.ToString()).ShouldBe(reason);
            ParkReason.Parse($" {reason.Name.ToUpperInvariant()} ").ShouldBe(reason);
        }

        ParkReason.Exhausted.Name.ShouldBe("Exhausted");
        ParkReason.Undeliverable.Name.ShouldBe("Undeliverable");
        ParkReason.KeyReused.Name.ShouldBe("KeyReused");
        ParkReason.Uncertain.Name.ShouldBe("Uncertain");
        ParkReason.SwitchedOff.Name.ShouldBe("SwitchedOff");
    }

    [Theory]
    [InlineData("Quarantined", "Quarantined")]
    [InlineData(" größe ", "größe")]
    [InlineData("a\u001b[31mb", "a\uFFFD[31mb")]
    [InlineData("", "Unknown")]
    [InlineData("  ", "Unknown")]
    [InlineData("unknown", "Unknown")]
    [InlineData(null, "Unknown")]
    public void An_unknown_reason_is_kept_as_text(string? text, string expected)
    {
        var reason = ParkReason.Parse(text);

        reason.Name.ShouldBe(expected);
        reason.ToString().ShouldBe(expected);
        reason.IsKnown.ShouldBeFalse();
        ParkReason.Parse(reason.Name).ShouldBe(reason);
    }

    [Theory]
    [InlineData(63, 63)]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    [InlineData(100_000, 64)]
    public void Text_is_cut(int length, int expected) => ParkReason.Parse(new string('x', length)).Name.Length.ShouldBe(expected);

    [Fact]
    public void The_cut_leaves_no_half_of_a_character() =>
        ParkReason.Parse(new string('x', 63) + "😀").Name.ShouldBe(new string('x', 63));

    [Fact]
    public void Any_text_is_read_and_bounded() =>
        Prop.ForAll<string?>(text => ParkReason.Parse(text).Name.Length is > 0 and <= ParkReason.MaxLength).QuickCheckThrowOnFailure();
}
