using Retry.Messaging.MassTransit.Filters;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Outcomes that a consumer says instead of throwing an exception.</summary>
/// <remarks>
/// A call is noted, and the consumer goes on: return after it. What becomes of the message is decided when the attempt has ended.
/// The last call of an attempt counts, <c>context.Redeliver</c> among them, and an exception that is thrown after it stands over it.
/// Nothing is undone: what the consumer enlisted commits, and what it sent goes out. To undo it, throw.
/// Said of a batch, it is the outcome of each of its messages; said of the context of one of them, of that one.
/// In a courier activity, what is not tried again faults the routing slip, as an exception would.
/// </remarks>
public static class OutcomeExtensions
{
    /// <summary>The shortest time after which a postponed message comes back: 1 second.</summary>
    public static readonly TimeSpan ShortestPostponement = TimeSpan.FromSeconds(1);

    /// <summary>FAIL: the message is parked as Failed, and gets its Fault. No exception is thrown, and no rule of the endpoint is asked.</summary>
    /// <param name="context">The consumer's context.</param>
    /// <param name="reason">Why, for the operator who looks at the parked message; 300 characters of it are kept.</param>
    /// <exception cref="ArgumentException">There is no reason.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has no graded retry, the attempt has ended, or it is a compensation.</exception>
    public static void Fail(this ConsumeContext context, string reason)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        Say(context, nameof(Fail), new SaidOutcome.Fail(reason));
    }

    /// <summary>ERROR: the message is tried again, within the policy's number of retries and its validity.</summary>
    /// <param name="context">The consumer's context.</param>
    /// <param name="reason">Why, for the log and the operator; 300 characters of it are kept.</param>
    /// <param name="retryAfter">When; unless given, or not more than zero, the policy says.</param>
    /// <exception cref="ArgumentException">There is no reason.</exception>
    /// <exception cref="InvalidOperationException">The endpoint has no graded retry, the attempt has ended, or it is a compensation.</exception>
    public static void Error(this ConsumeContext context, string reason, TimeSpan? retryAfter = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        Say(context, nameof(Error), new SaidOutcome.Error(reason, retryAfter > TimeSpan.Zero ? retryAfter : null));
    }

    /// <summary>Come back later, this is no failure: the message waits on the ladder, and no attempt is used.</summary>
    /// <remarks>Its bound is the validity of the message (<c>ValidFor</c>, 7 days unless set), which counts from its first failure or
    /// postponement, and the message's own deadline. What would come back later is parked as Expired.</remarks>
    /// <param name="context">The consumer's context.</param>
    /// <param name="delay">How much later, rounded up to 100 ms; less than <see cref="ShortestPostponement"/> counts as that.</param>
    /// <exception cref="InvalidOperationException">The endpoint has no graded retry, the attempt has ended, or it is a compensation.</exception>
    public static void Postpone(this ConsumeContext context, TimeSpan delay) =>
        Say(context, nameof(Postpone), new SaidOutcome.Postpone(delay < ShortestPostponement ? ShortestPostponement : delay));

    private static void Say(ConsumeContext context, string call, SaidOutcome said)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context is ConsumeContext<IEnumerable<ConsumeContext>> { Message: var batch })
        {
            foreach (var message in batch)
            {
                Say(message, call, said);
            }
        }
        else if (context is CompensateContext)
        {
            throw new InvalidOperationException($"Found context.{call} in the compensation of an activity, wanted it in what is retried: a compensation is not. Throw, or return context.Failed().");
        }
        else if (context.TryGetPayload<ISaidOutcomes>(out var attempt))
        {
            attempt.Say(said);
        }
        else
        {
            throw new InvalidOperationException($"Found context.{call} on an endpoint without graded retry, wanted a retry point: nothing here can send the message up the ladder, or park it. Add x.AddGradientRetry() to the bus, remove DisableGradientRetry from the endpoint, or throw.");
        }
    }
}
