namespace Retry.Messaging.Configuration;

/// <summary>Retry settings cannot be used. It carries everything that is wrong, not only the first.</summary>
public sealed class RetryConfigurationException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="findings">What is wrong.</param>
    /// <exception cref="ArgumentNullException"><paramref name="findings"/> is null.</exception>
    public RetryConfigurationException(IReadOnlyList<RetryFinding> findings)
        : base(Describe(findings)) => Findings = findings;

    /// <summary>Gets what is wrong.</summary>
    public IReadOnlyList<RetryFinding> Findings { get; }

    /// <summary>Throws if there is an error among findings; warnings alone do not throw.</summary>
    internal static void ThrowOnErrors(IEnumerable<RetryFinding> findings)
    {
        RetryFinding[] errors = [.. findings.Where(finding => finding.Severity == FindingSeverity.Error)];
        if (errors.Length > 0)
        {
            throw new RetryConfigurationException(errors);
        }
    }

    private static string Describe(IReadOnlyList<RetryFinding> findings)
    {
        ArgumentNullException.ThrowIfNull(findings);
        return string.Join(Environment.NewLine, findings.Select(finding => $"- {finding}").Prepend("The retry settings cannot be used:"));
    }
}
