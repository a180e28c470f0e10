namespace Payments.Audit;

/// <summary>The sets of ids against each other.</summary>
internal sealed record Balance
{
    public Balance(IReadOnlySet<string> published, IReadOnlySet<string> done, IReadOnlySet<string> doneAgain, IReadOnlySet<string> parked, IReadOnlySet<string> waiting)
    {
        Published = published.Count;
        Done = done.Count;
        Parked = parked.Count;
        Waiting = waiting.Count;
        Lost = [.. published.Where(id => !done.Contains(id) && !parked.Contains(id) && !waiting.Contains(id)).Order(StringComparer.Ordinal)];
        Duplicates = [.. doneAgain.Union(done.Where(parked.Contains)).Order(StringComparer.Ordinal)];
    }

    public int Published { get; }

    public int Done { get; }

    public int Parked { get; }

    public int Waiting { get; }

    /// <summary>Published, and nowhere to be found.</summary>
    public IReadOnlyList<string> Lost { get; }

    /// <summary>Done more than once, or done and parked.</summary>
    public IReadOnlyList<string> Duplicates { get; }

    public bool AllAccountedFor => Waiting == 0 && Lost.Count == 0;

    public override string ToString() =>
        $"ledger: published={Published} done={Done} parked={Parked} waiting={Waiting} lost={Lost.Count} duplicates={Duplicates.Count}";
}
