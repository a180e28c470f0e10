using MassTransit;
using Retry.Messaging.Decisions;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Lets the exception of a courier activity out to the retry filter, for as long as the policy tries again.</summary>
/// <remarks>
/// The host of an activity catches every exception itself and faults the routing slip at once. What it does respect is a result
/// that it is given: this one throws when it is evaluated, and the host passes that on. When the policy gives up,
/// the exception takes its usual way: the routing slip faults and is compensated, and nothing is parked.
/// </remarks>
internal sealed class ActivityRetryFilter<TArguments> : IFilter<ExecuteContext<TArguments>>
    where TArguments : class
{
    public async Task Send(ExecuteContext<TArguments> context, IPipe<ExecuteContext<TArguments>> next)
    {
        try
        {
            await next.Send(context).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            if (context.TryGetPayload<AttemptContext>(out var attempt)
                && (context.CancellationToken.IsCancellationRequested || attempt.Decide(exception) is RetryDecision.Again))
            {
                context.Result = new Thrown(exception);
            }

            throw;
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("gradientRetryActivity");

    private sealed class Thrown(Exception exception) : ExecutionResult
    {
        public Task Evaluate() => Task.FromException(exception);

        public bool IsFaulted(out Exception thrown)
        {
            thrown = exception;
            return true;
        }
    }
}
