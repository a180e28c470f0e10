namespace Payments.Audit;

/// <summary>What is shown of a run at one moment.</summary>
/// <param name="Now">How far things are.</param>
/// <param name="Before">How far they were when they were shown last.</param>
/// <param name="Elapsed">Since the start.</param>
/// <param name="Since">Since they were shown last.</param>
internal sealed record Moment(Progress Now, Progress Before, TimeSpan Elapsed, TimeSpan Since)
{
    public double AttemptsPerSecond => PerSecond(Now.Attempts - Before.Attempts);

    public double RetriesPerSecond => PerSecond(Now.Retries - Before.Retries);

    private double PerSecond(int count) => count / Math.Max(Since.TotalSeconds, 0.001);
}
