using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Wire;

public class HeaderTextTests
{
    [Fact]
    public void A_message_that_throws_is_no_reason_to_die() => HeaderText.Message(new ThrowingException()).ShouldBe("(its Message threw)");

    [Fact]
    public void A_message_that_is_null_is_empty() => HeaderText.Message(new NullException()).ShouldBeEmpty();

    [Fact]
    public void A_megabyte_is_cut() => HeaderText.OneLine(HeaderText.Message(new InvalidOperationException(new string('\n', 1 << 20))), 300).ShouldBe(new string(' ', 300));

    [Fact]
    public void A_generic_type_has_its_short_name() => HeaderText.TypeName(new GenericException<string>()).ShouldBe("GenericException`1");

    [Theory]
    [InlineData(null, 5, "")]
    [InlineData("", 5, "")]
    [InlineData("abcdef", 5, "abcde")]
    [InlineData("abcd🛒", 5, "abcd")]
    [InlineData("abc🛒", 5, "abc🛒")]
    [InlineData("a\u0085b", 5, "a b")]
    public void Text_is_cut_between_characters(string? text, int max, string expected) => HeaderText.OneLine(text, max).ShouldBe(expected);

    private sealed class ThrowingException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message today");
    }

    private sealed class NullException : Exception
    {
        public override string Message => null!;
    }

    private sealed class GenericException<T> : Exception;
}
