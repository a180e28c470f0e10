namespace Retry.Messaging.Breaker;

/// <summary>Tells a target that is ill from nodes that are. Pure: it sees outcomes and a clock, and acts on nothing.</summary>
/// <remarks>
/// <para>
/// Nodes are judged, not messages. Under competing consumers a node that fails at once takes most messages, so an error rate over
/// all messages, or errors in a row, would open the circuit of the whole cluster for one node that is ill. So the third of the nodes with most
/// errors counts as if each had no more of them than the worst of the others (winsorizing: J. Tukey, The future of data analysis, 1962).
/// </para>
/// <para>
/// A scan over times from one second to ten minutes (J. Naus, Scan Statistics, 2001). For each, the <see cref="OutcomeCount.Evidence"/> is compared
/// with a bound. Short times find the outage of a busy target at once, which over ten seconds would have to outweigh all that went well
/// before; long ones find it where a message comes every twenty seconds. The bound is <c>ln(600 / seconds) + 3</c>: in ten minutes there are
/// so many chances to be wrong.
/// </para>
/// </remarks>
internal static class BreakerRule
{
    /// <summary>One node that takes all messages while others live may be the ill one: it takes so many seconds to believe it.</summary>
    public const int AloneFor = 60;

    private const double Margin = 3;
    private const int Listening = 2;
    private static readonly int[] Times = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120, 160, 200, 250, 300, 400, 500, NodeOutcomes.Memory];

    /// <summary>Judges.</summary>
    /// <param name="nodes">Every node that lives and serves the point, also one that has taken no message yet.</param>
    /// <param name="second">The current second.</param>
    public static BreakerVerdict Judge(IReadOnlyDictionary<string, NodeOutcomes> nodes, long second)
    {
        var heard = nodes.Where(node => node.Value.InLast(NodeOutcomes.Memory, second).Total > 0).ToList();

        // until every node has said something, the first to speak look like all there are
        var alone = heard.Count == 1 && nodes.Count > 1;
        if (heard.Count == 0 || heard.Max(node => node.Value.Age(second)) < (alone ? AloneFor : Listening))
        {
            return BreakerVerdict.Well;
        }

        var suspects = nodes.Count == 1 ? 0 : Math.Min(Math.Max(1, nodes.Count / 3), heard.Count - 1);
        return Find(heard, suspects, second) is { } evidence ? new BreakerVerdict { Target = evidence }
            : nodes.Count == 1 ? BreakerVerdict.Well
            : new BreakerVerdict { Nodes = IllOnes(heard, second) };
    }

    // A node is ill that fails while others are answered: by this alone it is told from the first to meet an outage. It is one of several, and
    // each of them is a chance to be wrong.
    private static Dictionary<string, BreakerEvidence> IllOnes(List<KeyValuePair<string, NodeOutcomes>> heard, long second)
    {
        var ill = new Dictionary<string, BreakerEvidence>();
        foreach (var node in heard)
        {
            var others = heard.Where(other => other.Key != node.Key);
            if (Find([node], 0, second, Math.Log(heard.Count), seconds => AreAnswered(others, seconds, second)) is { } evidence)
            {
                ill[node.Key] = evidence;
            }
        }

        return ill;
    }

    // others may be ill as well: each counts for one, however much it takes
    private static bool AreAnswered(IEnumerable<KeyValuePair<string, NodeOutcomes>> nodes, int seconds, long second)
    {
        var outcomes = nodes.Select(node => node.Value.InLast(seconds, second)).Where(outcomes => outcomes.Total > 0).ToList();
        return outcomes.Count > 0 && outcomes.Count(one => one.Answers > one.Errors) * 2 > outcomes.Count;
    }

    private static BreakerEvidence? Find(
        List<KeyValuePair<string, NodeOutcomes>> nodes,
        int suspects,
        long second,
        double more = 0,
        Func<int, bool>? bears = null)
    {
        foreach (var seconds in Times)
        {
            var outcomes = Weigh([.. nodes.Select(node => node.Value.InLast(seconds, second))], suspects);
            if (outcomes.Evidence > Math.Log((double)NodeOutcomes.Memory / seconds) + Margin + more && bears?.Invoke(seconds) != false)
            {
                return new BreakerEvidence(seconds, outcomes, suspects);
            }
        }

        return null;
    }

    private static OutcomeCount Weigh(OutcomeCount[] nodes, int suspects)
    {
        Array.Sort(nodes, (left, right) => right.Errors.CompareTo(left.Errors));
        var most = nodes[Math.Min(suspects, nodes.Length - 1)].Errors;
        return nodes.Aggregate(default(OutcomeCount), (sum, node) => sum + (node with { Errors = Math.Min(node.Errors, most) }));
    }
}
