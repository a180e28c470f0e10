namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary>Whether a target came back after it had been slow: what its ledger says, ten seconds at a time. Pure.</summary>
/// <param name="seconds">What the target noted.</param>
/// <param name="well">The second in which it was well again.</param>
/// <param name="offered">How many messages a second were sent.</param>
internal sealed class Recovery(IReadOnlyList<LedgerSecond> seconds, int well, double offered)
{
    /// <summary>How many seconds are looked at together.</summary>
    public const int Window = 10;

    /// <summary>The share of what is offered that has to be answered in time again.</summary>
    public const double Enough = 0.95;

    /// <summary>The share of what is offered below which a target is called collapsed.</summary>
    public const double Collapsed = 0.5;

    /// <summary>Gets how many seconds after the target was well enough was answered in time, in each window from then to the end;
    /// <see langword="null"/> where that never happened.</summary>
    public int? After
    {
        get
        {
            var last = seconds.Count - Window;
            var from = last + 1;
            while (from > well && Rate(from - 1) >= Enough * offered)
            {
                from--;
            }

            return from > last ? null : from - well;
        }
    }

    /// <summary>Gets a value indicating whether it stayed collapsed, in each window from when it was well to the end.</summary>
    public bool StayedCollapsed =>
        seconds.Count - Window >= well && Enumerable.Range(well, seconds.Count - Window - well + 1).All(from => Rate(from) < Collapsed * offered);

    /// <summary>How many messages a second were answered in time.</summary>
    /// <param name="from">The first second of the window.</param>
    public double Rate(int from) => seconds.Skip(from).Take(Window).Average(static second => second.Answered);
}
