using Payments.Service;

namespace Payments.Audit;

/// <summary>Where the auditor shows what it sees.</summary>
internal interface IProgressView
{
    /// <summary>Shows how far things are.</summary>
    /// <param name="moment">The totals.</param>
    /// <param name="rungs">How many messages wait in each delay queue.</param>
    /// <param name="lastErrors">The attempts that failed last, oldest first.</param>
    void Show(Moment moment, IReadOnlyDictionary<string, int> rungs, IEnumerable<Attempt> lastErrors);

    /// <summary>Says something in words.</summary>
    void Say(string line);
}
