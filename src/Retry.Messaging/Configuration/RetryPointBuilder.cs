using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Says everything about a retry point: a work queue and how its messages are retried.</summary>
public class RetryPointBuilder : RetryMessageBuilder
{
    internal RetryPointBuilder()
        : this(new RetryPointSettings())
    {
    }

    /// <summary>Makes a builder that goes on where another stopped: two calls on one endpoint merge.</summary>
    internal RetryPointBuilder(RetryPointSettings settings)
        : base(settings)
    {
    }

    /// <summary>Settings of its own for a message type, over those of the point: several points on one queue.</summary>
    /// <typeparam name="TMessage">The message type; types that derive from it or implement it too, unless they have settings of their own.</typeparam>
    /// <param name="configure">Says the settings.</param>
    public void ForMessage<TMessage>(Action<RetryMessageBuilder> configure)
        where TMessage : class
    {
        ArgumentNullException.ThrowIfNull(configure);
        var settings = new RetryPointSettings();
        configure(ForMessage(settings));
        Settings.Messages.Add((typeof(TMessage), settings));
    }

    /// <summary>How long one attempt may take before it is cancelled and counts as an error.</summary>
    /// <param name="timeout">Longer than zero. The default is no limit.</param>
    public void AttemptTimeout(TimeSpan timeout) => Settings.AttemptTimeout = timeout;

    /// <summary>The header that says whose message it is. A parked message carries its value in <c>retry-tenant</c>, so that operators
    /// can find and group messages by tenant.</summary>
    /// <param name="header">The name of the header; at most 255 bytes. The default is none.</param>
    public void Tenant(string header)
    {
        ArgumentNullException.ThrowIfNull(header);
        Settings.Tenant = header;
    }

    /// <summary>How fast retries may flow back, over all instances together.</summary>
    /// <param name="perSecond">Messages per second; 1/3600 (one an hour) or more. The default is no limit.</param>
    /// <param name="burst">How many may go at once after a pause; 1 or more.</param>
    public void LimitRedelivery(double perSecond, int burst = RetryDefaults.Burst)
    {
        Settings.LimitPerSecond = perSecond;
        Settings.LimitBurst = burst;
    }

    /// <summary>How many retries may flow back for those that succeed, over all instances together: so retries do not keep down a target that has
    /// become slow.</summary>
    /// <remarks>What has no budget waits in the release queue. What was not used within ten seconds is gone. Each release counts, that of a
    /// replayed message, too; first deliveries do not. It goes well with an <see cref="AttemptTimeout"/>.</remarks>
    /// <param name="share">Retries for each attempt that succeeds; 0 to 10. The default is 0.2, one for five; without a call there is no budget.</param>
    /// <param name="floorPerSecond">Retries per second that flow however few succeed; 1/3600 (one an hour) or more. The default is 1.</param>
    public void RetryBudget(double share = RetryDefaults.BudgetShare, double floorPerSecond = RetryDefaults.BudgetFloor)
    {
        Settings.BudgetShare = share;
        Settings.BudgetFloor = floorPerSecond;
    }

    /// <summary>Puts a release queue between the ladder and the work queue, so that a work queue which cannot accept stalls nobody else.</summary>
    /// <param name="isolated">False takes back what a lower layer said. The default is not isolated; a point with a limit or a budget always is.</param>
    public void Isolated(bool isolated = true) => Settings.Isolated = isolated;

    /// <summary>Has a message that waits longer come by every so often, so that <c>retryctl delayed release</c> can let it go before it is
    /// due.</summary>
    /// <remarks>The rungs of the ladder are shared, and nobody may take a message out of one. Each time that a message comes by costs what a
    /// retry costs, without an attempt.</remarks>
    /// <param name="within">2 s to a day. The default is never: what waits comes when it is due.</param>
    public void ReleasableWithin(TimeSpan within) => Settings.ReleasableWithin = within;

    /// <summary>How fast messages may be consumed, over all instances together: first deliveries, retries, and what the broker delivers again.
    /// For the quota of an API. What may not begin waits in the work queue.</summary>
    /// <remarks>No window has more starts of a consumer than <paramref name="perSecond"/> times its length, and <paramref name="burst"/>. Each start
    /// costs a small message of its own; where no instance can give them, messages wait.</remarks>
    /// <param name="perSecond">Starts per second; 1/3600 (one an hour) or more. The default is no limit.</param>
    /// <param name="burst">How many may begin at once after a pause; 1 or more.</param>
    public void LimitDelivery(double perSecond, int burst = RetryDefaults.Burst)
    {
        Settings.DeliveriesPerSecond = perSecond;
        Settings.DeliveryBurst = burst;
    }

    /// <summary>Spares what the point calls while it is ill: all instances together stop calling it, try it now and then with one message, and
    /// come back step by step. Only errors count; a message that fails for good shows that the target answers.</summary>
    /// <param name="isOn">False takes back what a lower layer said. The default is no breaker.</param>
    /// <param name="interval">How often one message of the whole cluster is tried while the circuit is open; 100 ms to 1 hour. The default is 5 s.</param>
    public void Breaker(bool isOn = true, TimeSpan? interval = null)
    {
        Settings.Breaker = isOn;
        Settings.BreakerInterval = interval ?? Settings.BreakerInterval;
    }

    /// <summary>An error that says nothing of the target, for example of the service's own database: it opens no circuit.</summary>
    /// <remarks>HTTP 429 is none that does either, and no answer with Retry-After: who answers so is there, and wants to be called less often. A cap of
    /// the point is halved for a while.</remarks>
    /// <typeparam name="TException">The type of exception; derived types too.</typeparam>
    /// <param name="predicate">Which of them; all when null. One that throws counts as false.</param>
    public void BreakerIgnores<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => Settings.NotOfTarget.Add(OutcomeRule.For(Outcome.Ok, predicate));
}
