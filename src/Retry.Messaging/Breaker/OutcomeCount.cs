namespace Retry.Messaging.Breaker;

/// <summary>How many attempts ended with an error, and how many with an answer of the target.</summary>
/// <param name="Errors">Attempts that ended in ERROR, timed-out ones included.</param>
/// <param name="Answers">Attempts that show that the target is there: it did what it was asked for, or refused it for good (FAIL).</param>
internal readonly record struct OutcomeCount(int Errors, int Answers)
{
    /// <summary>Gets how many attempts there were.</summary>
    public int Total => Errors + Answers;

    /// <summary>Gets how much the attempts speak for a target that fails more often than it answers.</summary>
    /// <remarks>
    /// In nats, and zero where errors are not the majority: <c>n · KL(e/n ‖ ½)</c>, the logarithm of how much likelier the attempts are at the
    /// error rate that was seen than at one half. At an error rate of one half or less, <c>n</c> attempts show evidence of <c>x</c> or more
    /// with a probability of at most <c>e^-x</c> (W. Hoeffding, Probability inequalities for sums of bounded random variables, 1963).
    /// </remarks>
    public double Evidence => Errors <= Answers ? 0 : Share(Errors) + Share(Answers);

    public static OutcomeCount operator +(OutcomeCount left, OutcomeCount right) => new(left.Errors + right.Errors, left.Answers + right.Answers);

    public static OutcomeCount operator -(OutcomeCount left, OutcomeCount right) => new(left.Errors - right.Errors, left.Answers - right.Answers);

    private double Share(int part) => part == 0 ? 0 : part * Math.Log(2.0 * part / Total);
}
