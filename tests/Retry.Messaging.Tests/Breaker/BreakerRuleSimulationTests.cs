using System.Globalization;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.Tests.Breaker;

/// <summary>The rule on virtual time, with many seeds: when it opens, and when it never does.</summary>
public sealed class BreakerRuleSimulationTests(ITestOutputHelper output)
{
    private static readonly int Seeds = int.Parse(Environment.GetEnvironmentVariable("RETRY_BREAKER_SEEDS") ?? "5", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(16, 50)]
    [InlineData(16, 5)]
    [InlineData(16, 0.5)]
    [InlineData(3, 5)]
    [InlineData(2, 5)]
    [InlineData(1, 5)]
    [InlineData(1, 0.5)]
    public void Forty_errors_in_a_hundred_everywhere_open_nothing_in_ten_minutes(int nodes, double perSecond) =>
        Opened(perSecond, 600, () => Same(nodes, 0.4)).ShouldBe(0);

    [Theory]
    [InlineData(16, 60, 50)]
    [InlineData(16, 60, 5)]
    [InlineData(16, 60, 0.5)]
    [InlineData(3, 20, 5)]
    [InlineData(2, 20, 5)]
    public void One_ill_node_that_takes_most_messages_opens_nothing(int nodes, double share, double perSecond) =>
        Opened(perSecond, 600, () => [new(share, 1), .. Same(nodes - 1, 0.02)]).ShouldBe(0);

    [Fact]
    public void Five_ill_nodes_of_sixteen_that_take_five_times_as_much_open_nothing() =>
        Opened(50, 600, () => [.. Same(5, 1, share: 5), .. Same(11, 0.02)]).ShouldBe(0);

    /// <summary>What is rare tells little; and a circuit that opened for nothing costs little there.</summary>
    [Theory]
    [InlineData(16, 0.4, 16, 0.05)]
    [InlineData(1, 0.4, 1, 0.05)]
    [InlineData(5, 1, 16, 0.5)]
    public void Where_messages_are_rare_it_opens_seldom_for_nothing(int ill, double errorRate, int nodes, double perSecond) =>
        Opened(perSecond, 600, () => [.. Same(ill, errorRate, share: 5), .. Same(nodes - ill, 0.02)], Seeds * 4).ShouldBeLessThanOrEqualTo(Seeds * 4 / 5);

    [Theory]
    [InlineData(16, 50)]
    [InlineData(16, 200)]
    [InlineData(1, 50)]
    public void An_outage_of_a_busy_target_opens_within_two_seconds_of_the_twelfth_error(int nodes, double perSecond)
    {
        var late = Enumerable.Range(0, Seeds).Select(seed =>
        {
            var cluster = new SimulatedCluster(seed, perSecond, Same(nodes, 0.02));
            return cluster.Run(90, outage: 60)!.Value - cluster.TwelfthError!.Value;
        }).Order().ToList();

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median {late[late.Count / 2]:0.00} s, at most {late[^1]:0.00} s"));
        late[^1].ShouldBeLessThan(2);
    }

    [Theory]
    [InlineData(16, 14)]
    [InlineData(1, 12)]
    public void An_outage_where_a_message_comes_every_twenty_seconds_opens_after_a_dozen_attempts(int nodes, int atMost)
    {
        var attempts = Enumerable.Range(0, Seeds).Select(seed =>
        {
            var cluster = new SimulatedCluster(seed, 0.05, Same(nodes, 0.02));
            cluster.Run(10_000, outage: 1000).ShouldNotBeNull();
            return cluster.AttemptsOfOutage;
        }).Order().ToList();

        output.WriteLine($"median {attempts[attempts.Count / 2]}, at most {attempts[^1]}");
        attempts[^1].ShouldBeLessThanOrEqualTo(atMost);
    }

    [Fact]
    public void Ill_nodes_are_found_within_five_seconds()
    {
        var cluster = new SimulatedCluster(1, 50, [.. Same(5, 1, share: 5), .. Same(11, 0.02)]);

        cluster.Run(30);

        cluster.IllSince.Keys.Order().ShouldBe(Enumerable.Range(0, 5).Select(SimulatedCluster.Name));
        cluster.IllSince.Values.Max().ShouldBeLessThan(5);
    }

    /// <summary>Each sick node takes five times as much as another one until it is set apart.</summary>
    [Theory]
    [InlineData(1, 16, 60)]
    [InlineData(5, 16, 5)]
    [InlineData(1, 3, 5)]
    [InlineData(1, 2, 5)]
    public void Nodes_that_are_ill_take_nothing_but_probes_and_come_back_when_they_are_well(int ill, int nodes, double share)
    {
        const double Well = 300;
        foreach (var seed in Enumerable.Range(0, Seeds))
        {
            SimulatedNode[] sick = [.. Enumerable.Range(0, ill).Select(_ => new SimulatedNode(share, 1, Well))];
            var cluster = new SimulatedCluster(seed, 50, [.. sick, .. Same(nodes - ill, 0.02)]);

            cluster.Run(500).ShouldBeNull();

            cluster.MostApart.ShouldBe(ill);
            cluster.SetApart.ShouldAllBe(apart => apart.Node < ill);
            foreach (var node in sick)
            {
                node.Took.ShouldNotContain(second => second >= 5 && second < Well);
                node.Probes.Count(at => at < Well).ShouldBeInRange(5, 9, "after 5, 10, 20, 40, 60 s and so on");
                node.Took.Where(second => second > Well).Min().ShouldBeLessThan((int)Well + 70);
            }
        }
    }

    [Theory]
    [InlineData(16, 50)]
    [InlineData(3, 50)]
    [InlineData(2, 5)]
    public void Forty_errors_in_a_hundred_everywhere_set_hardly_any_node_apart(int nodes, double perSecond)
    {
        var apart = Enumerable.Range(0, Seeds).Sum(seed =>
        {
            var cluster = new SimulatedCluster(seed, perSecond, Same(nodes, 0.4));
            cluster.Run(600);
            return cluster.SetApart.Count;
        });

        output.WriteLine($"{apart} times in {Seeds * 10} minutes");
        apart.ShouldBeLessThanOrEqualTo(Seeds / 2);
    }

    private static IEnumerable<SimulatedNode> Same(int nodes, double errorRate, double share = 1) =>
        Enumerable.Range(0, nodes).Select(_ => new SimulatedNode(share, errorRate));

    private int Opened(double perSecond, double seconds, Func<IEnumerable<SimulatedNode>> nodes, int? seeds = null)
    {
        var opened = Enumerable.Range(0, seeds ?? Seeds).Count(seed => new SimulatedCluster(seed, perSecond, nodes()).Run(seconds) is not null);
        output.WriteLine($"{opened} of {seeds ?? Seeds} opened");
        return opened;
    }
}
