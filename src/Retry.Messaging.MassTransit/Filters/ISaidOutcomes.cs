namespace Retry.Messaging.MassTransit.Filters;

/// <summary>Where a consumer's context takes down what it says of its attempt.</summary>
internal interface ISaidOutcomes
{
    /// <summary>Takes it down; the last one counts.</summary>
    /// <exception cref="InvalidOperationException">The attempt has ended.</exception>
    void Say(SaidOutcome said);
}
