using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Verification;
using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>What became of the policies of some work queues.</summary>
internal sealed class WorkQueuePolicies
{
    private readonly string _virtualHost;
    private readonly IReadOnlyList<WorkQueuePolicyResult> _results;
    private readonly IReadOnlyList<string> _unwritten;
    private readonly string? _obstacle;

    private WorkQueuePolicies(string virtualHost, IReadOnlyList<WorkQueuePolicyResult> results, IReadOnlyList<string> unwritten, string? obstacle)
    {
        _virtualHost = virtualHost;
        _results = results;
        _unwritten = unwritten;
        _obstacle = obstacle;
    }

    /// <summary>Whether every queue has its policy.</summary>
    public bool IsDone => _obstacle is null && _results.All(result => result.IsDone);

    /// <summary>Writes the policies that nothing speaks against. A management API that is missing is no failure: the commands are told instead.</summary>
    public static async Task<WorkQueuePolicies> EnsureAsync(
        IConnection connection,
        ManagementClient management,
        IReadOnlyList<string> workQueues,
        CancellationToken cancellationToken)
    {
        var results = new List<WorkQueuePolicyResult>();
        try
        {
            if (workQueues.Count > 0)
            {
                await management.EnsureSameClusterAsync(connection, cancellationToken).ConfigureAwait(false);
            }

            foreach (var queue in workQueues)
            {
                results.Add(await WorkQueuePolicyWriter.EnsureAsync(management, queue, cancellationToken).ConfigureAwait(false));
            }

            return new WorkQueuePolicies(management.VirtualHost, results, [], null);
        }
        catch (ManagementException exception)
        {
            return new WorkQueuePolicies(management.VirtualHost, results, [.. workQueues.Skip(results.Count)], exception.Message);
        }
    }

    /// <summary>For <c>--json</c>.</summary>
    public PoliciesDocument ToDocument() => new(
        [.. _results.Select(result => new PolicyResultDocument(result.Outcome.ToString(), result.Message, CommandOf(result)))],
        _obstacle,
        [.. _unwritten.Select(queue => new UnwrittenPolicyDocument(queue, Command(queue, isQuorum: true), Command(queue, isQuorum: false)))]);

    /// <summary>For people.</summary>
    public void Write(CliHost host)
    {
        foreach (var result in _results)
        {
            host.Out.WriteLine(Printable.Line(result.Message));
            if (CommandOf(result) is { } command)
            {
                host.Out.WriteLine("  " + Printable.Line(command));
            }
        }

        if (_obstacle is null)
        {
            return;
        }

        host.Error.WriteLine($"{RetryCtl.Name}: {_obstacle}");
        if (_unwritten.Count > 0)
        {
            host.Out.WriteLine("No policy was read or written. Run 'rabbitmqctl list_queues name policy' first. Only one policy applies to a queue, so where a queue has one already, a command below could displace it.");
        }

        foreach (var queue in _unwritten)
        {
            host.Out.WriteLine(Printable.Line($"Queue '{queue}': AMQP does not show its type. If it is a quorum queue, run this (without {PolicyKeys.DeadLetterStrategy} and {PolicyKeys.Overflow} if it has a length limit):"));
            host.Out.WriteLine("  " + Printable.Line(Command(queue, isQuorum: true)));
            host.Out.WriteLine("If it is a classic queue, run this:");
            host.Out.WriteLine("  " + Printable.Line(Command(queue, isQuorum: false)));
        }
    }

    private string? CommandOf(WorkQueuePolicyResult result) =>
        result is { Outcome: WorkQueuePolicyOutcome.Merged or WorkQueuePolicyOutcome.NotAllowed, Policy: { } policy } ? policy.Command(_virtualHost) : null;

    private string Command(string queue, bool isQuorum) => WorkQueuePolicy.For(queue, isQuorum).Command(_virtualHost);
}
