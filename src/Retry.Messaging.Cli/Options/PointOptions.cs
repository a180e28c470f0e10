using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Options;

/// <summary>The retry points that a topology command covers beside the ladder.</summary>
internal sealed class PointOptions
{
    private const string PointName = "--point";
    private const string IsolatedName = "--isolated";

    private readonly Option<string[]> _point = Queues(
        PointName,
        "A work queue: adds its parking lot and the bindings that bring its messages back. May be given several times. Default: only the ladder, which all points share.");
    private readonly Option<string[]> _isolated = Queues(
        IsolatedName,
        "Like --point, for a work queue with LimitRedelivery or Isolated: adds its release queue too. May be given several times. Default: none.");

    private PointOptions()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="description">What --point means there; <see langword="null"/> for the usual.</param>
    public static PointOptions AddTo(Command command, string? description = null)
    {
        var options = new PointOptions();
        options._point.Description = description ?? options._point.Description;
        command.Options.Add(options._point);
        command.Options.Add(options._isolated);
        return options;
    }

    /// <summary>Adds the option for every point that a broker has.</summary>
    public static Option<bool> AddAll(Command command, string description)
    {
        var all = new Option<bool>("--all") { Description = description };
        command.Options.Add(all);
        return all;
    }

    /// <summary>The ladder and the points.</summary>
    /// <exception cref="UsageException">A name cannot be that of a work queue.</exception>
    public TopologyPlan PlanOf(ParseResult parsed) => PlanOf(QueuesOf(parsed), IsolatedOf(parsed));

    /// <summary>The ladder and some points.</summary>
    public static TopologyPlan PlanOf(IReadOnlyList<string> queues, IReadOnlyList<string> isolated) =>
        queues.Aggregate(TopologyPlan.Ladder, (plan, queue) => plan.Then(TopologyPlan.Point(RetryPointNames.For(queue), isolated.Contains(queue))));

    /// <summary>The work queues that were named, by either option.</summary>
    /// <exception cref="UsageException">One cannot be a work queue.</exception>
    public IReadOnlyList<string> QueuesOf(ParseResult parsed) => [.. Read(parsed, _point, hasRelease: false).Union(IsolatedOf(parsed), StringComparer.Ordinal)];

    /// <summary>Those of them whose point has a release queue.</summary>
    /// <exception cref="UsageException">One cannot be a work queue.</exception>
    public IReadOnlyList<string> IsolatedOf(ParseResult parsed) => [.. Read(parsed, _isolated, hasRelease: true)];

    /// <summary>An option that names work queues.</summary>
    public static Option<string[]> Queues(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "QUEUE",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = static _ => [],
    };

    /// <summary>The work queues that an option names.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="option">The option.</param>
    /// <param name="hasRelease">Whether their points have a release queue, whose name must fit, too.</param>
    /// <exception cref="UsageException">One cannot be a work queue.</exception>
    public static IEnumerable<string> Read(ParseResult parsed, Option<string[]> option, bool hasRelease)
    {
        foreach (var queue in (parsed.GetValue(option) ?? []).Distinct(StringComparer.Ordinal))
        {
            if (WhyNotAWorkQueue(queue, hasRelease) is { } why)
            {
                throw new UsageException($"{option.Name}: {why}");
            }

            yield return queue;
        }
    }

    // stricter than for a service: a name that is typed here may be a slip, and would leave queues that nobody needs
    private static string? WhyNotAWorkQueue(string queue, bool hasRelease) =>
        // the parser takes the next option for the value that is missing
        queue.StartsWith("--", StringComparison.Ordinal) ? $"found '{queue}', wanted a work queue's name."
        : queue.Contains('*', StringComparison.Ordinal)
            || queue.Contains('#', StringComparison.Ordinal) ? $"found '{queue}', wanted the name of one work queue, without a wildcard."
        : queue.StartsWith(BrokerNames.LadderPrefix, StringComparison.Ordinal)
            || queue == BrokerNames.ParkingExchange ? $"found '{queue}', which is a name of the ladder itself, wanted the name of a work queue."
        : OwnerOf(queue, BrokerNames.ParkedSuffix) is { } parked ? $"found '{queue}', the name of the parking lot of '{parked}', wanted the work queue, '{parked}'."
        : OwnerOf(queue, BrokerNames.ReleaseSuffix) is { } released ? $"found '{queue}', the name of the release queue of '{released}', wanted the work queue, '{released}'."
        : RetryPointNames.For(queue).WhyUnusable(hasRelease);

    private static string? OwnerOf(string queue, string suffix) => queue.EndsWith(suffix, StringComparison.Ordinal) ? queue[..^suffix.Length] : null;
}
