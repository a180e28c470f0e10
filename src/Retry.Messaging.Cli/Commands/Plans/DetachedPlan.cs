using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Plans;

namespace Retry.Messaging.Cli.Commands.Plans;

/// <summary>Says that a plan is left to a service.</summary>
internal static class DetachedPlan
{
    /// <summary>Says it, and whether one is there.</summary>
    /// <returns>The exit code: 3 where nobody is there who carries it out.</returns>
    public static async Task<int> SayAsync(CliHost host, IConnection connection, Plan? plan, string queue, bool json, CancellationToken cancellationToken)
    {
        if (plan is null)
        {
            if (!json)
            {
                host.Out.WriteLine($"No parked message of '{queue}' was chosen, so there is no plan.");
            }

            return ExitCode.Done;
        }

        if (json)
        {
            JsonOutput.WriteLine(host.Out, PlanDocument.Of(new PlanSummary(plan, PlanProgress.Stopped)));
        }
        else
        {
            host.Out.WriteLine(Printable.Wrap(
                string.Empty,
                $"Plan {plan.Id}, {plan.Terms.Action.ToString().ToLowerInvariant()} of {Printable.Messages(plan.Count)} of '{queue}', is left to a service. 'retryctl plans show {plan.Id}' tells how far it is.",
                host.Width));
        }

        if (await new PlansReader(connection, host.Time).CarriersAsync(cancellationToken).ConfigureAwait(false) > 0)
        {
            return ExitCode.Done;
        }

        return RetryCtl.Fail(host, ExitCode.Finding, $"No service with AddRetryOperations is there. The plan is carried out when one is, or by 'retryctl plans resume {plan.Id}'.");
    }
}
