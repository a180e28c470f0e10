namespace Retry.Messaging.Configuration;

/// <summary>Guesses which name was meant.</summary>
internal static class Spelling
{
    /// <summary>The edits that still count as a slip: 2, so that two letters may be swapped.</summary>
    private const int MostEdits = 2;

    /// <summary>Returns the known word closest to the one written, or null when none is close.</summary>
    internal static string? Closest(string written, IEnumerable<string> known) => known
        .Select(word => (Word: word, Edits: Distance(written.ToUpperInvariant(), word.ToUpperInvariant())))
        .Where(candidate => candidate.Edits <= Math.Min(MostEdits, candidate.Word.Length / 2))
        .OrderBy(candidate => candidate.Edits)
        .Select(candidate => candidate.Word)
        .FirstOrDefault();

    /// <summary>The Levenshtein distance: insertions, deletions and replacements (V. Levenshtein, 1966; the two-row form of Wagner and
    /// Fischer, 1974).</summary>
    private static int Distance(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var current = new int[b.Length + 1];
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                current[j] = Math.Min(
                    Math.Min(current[j - 1], previous[j]) + 1,
                    previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            }

            previous = current;
        }

        return previous[b.Length];
    }
}
