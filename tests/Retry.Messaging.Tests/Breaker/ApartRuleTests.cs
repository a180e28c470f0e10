using Retry.Messaging.Breaker;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Breaker;

public sealed class ApartRuleTests
{
    private const long Number = 7;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    [InlineData(6, 2)]
    [InlineData(16, 5)]
    public void Never_more_than_a_third_are_set_apart_and_one_of_two(int living, int most)
    {
        var all = Living(living);

        Next([], all, Ill([.. all.Keys])).Count.ShouldBe(most);
    }

    [Fact]
    public void The_surest_comes_first()
    {
        var ill = new Dictionary<string, BreakerEvidence> { ["n0"] = Evidence(12), ["n1"] = Evidence(30), ["n2"] = Evidence(20) };

        Next([], Living(3), ill).ShouldBe([new ApartNode("n1", Number, "30 of 30 attempts failed in the last 3 s")]);
    }

    [Fact]
    public void One_that_has_come_back_takes_part_and_another_one_is_set_apart()
    {
        var living = Living(3);
        living["n0"] = 4;

        Next([Apart("n0", 4)], living, Ill("n2")).ShouldHaveSingleItem().Node.ShouldBe("n2");
    }

    [Fact]
    public void One_that_came_back_from_an_earlier_time_stays_apart()
    {
        var living = Living(3);
        living["n0"] = 3;

        Next([Apart("n0", 4)], living, Ill("n2")).ShouldBe([Apart("n0", 4)]);
    }

    [Fact]
    public void One_that_is_dead_is_forgotten_and_not_before_all_have_had_time_to_say_that_they_live()
    {
        Next([Apart("dead", 4)], Living(3), Ill(), isComplete: false).ShouldBe([Apart("dead", 4)]);
        Next([Apart("dead", 4)], Living(3), Ill()).ShouldBeEmpty();
    }

    [Fact]
    public void When_the_others_have_gone_the_last_one_takes_part() => Next([Apart("n0", 4)], Living(1), Ill("n0")).ShouldBeEmpty();

    [Fact]
    public void When_others_have_gone_those_stay_apart_that_were_found_first() =>
        Next([Apart("n1", 5), Apart("n0", 4)], Living(3), Ill()).ShouldBe([Apart("n0", 4)]);

    /// <summary>An older version would not obey, and would stay named for ever.</summary>
    [Fact]
    public void One_that_cannot_be_set_apart_is_not()
    {
        var living = Living(3);
        living["n0"] = null;

        Next([], living, Ill("n0")).ShouldBeEmpty();
        Next([Apart("n0", 4)], living, Ill()).ShouldBeEmpty();
    }

    private static IReadOnlyList<ApartNode> Next(
        IReadOnlyList<ApartNode> apart,
        Dictionary<string, long?> living,
        Dictionary<string, BreakerEvidence> ill,
        bool isComplete = true) => ApartRule.Next(apart, living, isComplete, ill, Number);

    private static Dictionary<string, long?> Living(int nodes) => Enumerable.Range(0, nodes).ToDictionary(node => $"n{node}", _ => (long?)0);

    private static Dictionary<string, BreakerEvidence> Ill(params string[] nodes) => nodes.ToDictionary(node => node, _ => Evidence(12));

    private static BreakerEvidence Evidence(int errors) => new(3, new OutcomeCount(errors, 0), 0);

    private static ApartNode Apart(string node, long number) => new(node, number, "12 of 12");
}
