namespace Retry.Messaging.Outcomes;

/// <summary>What an exception of a type, and of those derived from it, means.</summary>
internal sealed class OutcomeRule
{
    private readonly Func<Exception, bool>? _predicate;

    private OutcomeRule(Type exceptionType, Outcome outcome, Func<Exception, bool>? predicate, bool isHandle)
    {
        ExceptionType = exceptionType;
        Outcome = outcome;
        _predicate = predicate;
        IsHandle = isHandle;
    }

    /// <summary>Gets the type of exception.</summary>
    public Type ExceptionType { get; }

    /// <summary>Gets what it means.</summary>
    public Outcome Outcome { get; }

    /// <summary>Gets a value indicating whether the rule makes every exception that no rule names a failure.</summary>
    internal bool IsHandle { get; }

    /// <summary>Makes a rule: <typeparamref name="TException"/> means this outcome.</summary>
    /// <typeparam name="TException">The type of exception; derived types too.</typeparam>
    /// <param name="outcome">What it means.</param>
    /// <param name="predicate">Which of them; all when null. One that throws counts as false.</param>
    /// <returns>The rule.</returns>
    public static OutcomeRule For<TException>(Outcome outcome, Func<TException, bool>? predicate = null)
        where TException : Exception => new(typeof(TException), outcome, Typed(predicate), isHandle: false);

    /// <summary>Makes a rule as MassTransit's Handle: <typeparamref name="TException"/> is tried again, and whatever no rule names is not.</summary>
    /// <typeparam name="TException">The type of exception; derived types too.</typeparam>
    /// <param name="predicate">Which of them; all when null. One that throws counts as false.</param>
    /// <returns>The rule.</returns>
    public static OutcomeRule Handle<TException>(Func<TException, bool>? predicate = null)
        where TException : Exception => new(typeof(TException), Outcome.Error, Typed(predicate), isHandle: true);

    /// <summary>Returns the rule in one line, for logs.</summary>
    /// <returns>For example <c>TimeoutException -> Error</c>.</returns>
    public override string ToString() =>
        $"{ExceptionType.Name}{(_predicate is null ? "" : " (some)")} -> {(IsHandle ? "Error, others Fail" : Outcome)}";

    internal static OutcomeRule For(Type exceptionType, Outcome outcome) => new(exceptionType, outcome, null, isHandle: false);

    internal static OutcomeRule Handle(Type exceptionType) => new(exceptionType, Outcome.Error, null, isHandle: true);

    internal bool Accepts(Exception exception)
    {
        try
        {
            return _predicate is null || _predicate(exception);
        }
#pragma warning disable CA1031 // any exception: a message is being held while its outcome is sought
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    private static Func<Exception, bool>? Typed<TException>(Func<TException, bool>? predicate)
        where TException : Exception => predicate is null ? null : exception => predicate((TException)exception);
}
