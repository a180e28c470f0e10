namespace Retry.Messaging.Configuration;

/// <summary>Something wrong with a setting.</summary>
/// <param name="Path">The setting, for example <c>GradientRetry:Endpoints:payments:First</c>.</param>
/// <param name="Message">What was found, what is wanted, and what to do.</param>
/// <param name="Severity">How bad it is.</param>
public sealed record RetryFinding(string Path, string Message, FindingSeverity Severity = FindingSeverity.Error)
{
    /// <summary>Returns path and message in one line.</summary>
    /// <returns>For example <c>payments:Retries: found -1, wanted 0 (none) or more</c>.</returns>
    public override string ToString() => $"{Path}: {Message}";
}
