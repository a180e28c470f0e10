
namespace Retry.Messaging.Outcomes;

/// <summary>Decides what an exception means.</summary>
/// <remarks>
/// <list type="number">
/// <item>The rules given, over the whole chain of inner exceptions and members of an <see cref="AggregateException"/>: the
/// outermost exception that a rule fits; there, the rule of the most derived type; for one type, the rule registered last.</item>
/// <item>If one of the rules is a Handle: <see cref="Outcome.Fail"/>.</item>
/// <item>What HTTP says, of the outermost <see cref="HttpRequestException"/> in the chain: <see cref="HttpOutcome"/>.</item>
/// <item><see cref="Outcome.Error"/>, time-outs and cancellations among the rest.</item>
/// </list>
/// It never throws, whatever the exception or a predicate does.
/// </remarks>
internal sealed class OutcomeClassifier
{
    private readonly ExceptionMap<OutcomeRule> _rules;
    private readonly bool _onlyHandled;

    /// <summary>Makes a classifier.</summary>
    /// <param name="rules">The rules in the order of their registration.</param>
    /// <exception cref="ArgumentNullException"><paramref name="rules"/> is null.</exception>
    public OutcomeClassifier(IEnumerable<OutcomeRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        OutcomeRule[] all = [.. rules];
        _rules = new ExceptionMap<OutcomeRule>(all.Select(rule => (rule.ExceptionType, rule)));
        _onlyHandled = all.Any(rule => rule.IsHandle);
    }

    /// <summary>Decides what an exception means.</summary>
    /// <param name="exception">What the consumer threw.</param>
    /// <returns>The outcome.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exception"/> is null.</exception>
    public Outcome Classify(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        foreach (var (rule, match) in _rules.Matches(exception))
        {
            if (rule.Accepts(match))
            {
                return rule.Outcome;
            }
        }

        if (_onlyHandled)
        {
            return Outcome.Fail;
        }

        if (ExceptionLevels.IsAlone(exception))
        {
            return exception is HttpRequestException failed ? HttpOutcome.Of(failed) : Outcome.Error;
        }

        foreach (var level in ExceptionLevels.Of(exception))
        {
            if (level.OfType<HttpRequestException>().FirstOrDefault() is { } http)
            {
                return HttpOutcome.Of(http);
            }
        }

        return Outcome.Error;
    }
}
