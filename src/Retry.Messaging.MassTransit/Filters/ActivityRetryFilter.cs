using MassTransit;
using Retry.Messaging.Decisions;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Lets the exception of a courier activity out to the retry filter, for as long as the policy tries again.</summary>
/// <remarks>
/// The host of an activity catches every exception itself and faults the routing slip at once. What it does respect is a result
/// that it is given: this one throws when it is evaluated, and the host passes that on. When the policy gives up,
/// the exception takes its usual way: the routing slip faults and is compensated, and nothing is parked.
/// So it is with what an activity says (<see cref="SaidOutcome"/>), whatever result it returns.
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

        if (context.TryGetPayload<AttemptContext>(out var ended) && ended.Said is { } said)
        {
            context.Result = ResultOf(context, ended, said);
        }
    }

    // what is tried again has no result yet; otherwise the routing slip has one, and the message is done
    private static ExecutionResult ResultOf(ExecuteContext<TArguments> context, AttemptContext attempt, SaidOutcome said)
    {
        var end = attempt.EndOf(said);
        if (end.Decision is RetryDecision.Again)
        {
            return NotYet.Instance;
        }

        attempt.TakeBack();
        return context.Faulted(end.Exception);
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

    private sealed class NotYet : ExecutionResult
    {
        public static readonly NotYet Instance = new();

        public Task Evaluate() => Task.CompletedTask;

        public bool IsFaulted(out Exception exception)
        {
            exception = null!;
            return false;
        }
    }
}
