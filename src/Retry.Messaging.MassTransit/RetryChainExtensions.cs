using System.Globalization;
using Retry.Messaging.Http;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.Wire;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Tells services downstream that they are called by a retry, and for how long there will be more.</summary>
public static class RetryChainExtensions
{
    /// <summary>Returns what services downstream should know of this message.</summary>
    /// <param name="context">The consumer's context.</param>
    /// <returns>
    /// The attempt of this endpoint, or that of the sender's message where this one is the first here; the earlier of the two deadlines. On an
    /// endpoint without graded retry: what the sender said, or a first attempt.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    public static RetryChain GetRetryChain(this ConsumeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var sender = RetryChain.Read(name => context.Headers.Get<string>(name));
        var state = context.TryGetPayload<AttemptContext>(out var attempt) ? attempt.Delivery.State : RetryState.Fresh;
        var deadline = state.Deadline ?? attempt?.Delivery.Deadline;
        return new RetryChain(
            state.Attempt > 1 ? state.Attempt : sender?.Attempt ?? 1,
            deadline is null || sender?.Deadline < deadline ? sender?.Deadline ?? deadline : deadline);
    }

    /// <summary>Hands it to whoever consumes a message that is sent: <c>context.Send(message, context.GetRetryChain().AddTo)</c>.</summary>
    /// <param name="chain">What to say.</param>
    /// <param name="context">The send context, which is changed.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static void AddTo(this RetryChain chain, SendContext context)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(context);
        context.Headers.Set(RetryHeaderNames.ChainAttempt, chain.Attempt.ToString(CultureInfo.InvariantCulture));
        context.Headers.Set(RetryHeaderNames.ChainDeadline, chain.Deadline?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
    }
}
