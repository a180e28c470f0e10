namespace Retry.Messaging.Outcomes;

/// <summary>Entries by exception type, looked up in the one order that all rules share.</summary>
/// <remarks>
/// 1. The outermost exception that any entry fits. 2. Among the entries that fit at this level, the most derived type. 3. For one
/// type, the entry registered last.
/// </remarks>
/// <typeparam name="TEntry">What is registered for a type.</typeparam>
internal sealed class ExceptionMap<TEntry>
{
    private readonly (Type Type, TEntry Entry)[] _entries;

    /// <summary>Makes a map; entries come in the order of registration.</summary>
    internal ExceptionMap(IEnumerable<(Type Type, TEntry Entry)> entries) =>
        // OrderBy is stable: after Reverse, the later of two equal ones comes first.
        _entries = [.. entries.Reverse().OrderByDescending(entry => Depth(entry.Type))];

    /// <summary>Lists what fits an exception, best first, each with the exception of the chain that it fits.</summary>
    internal IEnumerable<(TEntry Entry, Exception Exception)> Matches(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return MayMatch(exception) ? All(exception) : [];
    }

    // nearly always the answer is no, at every failure: found out without an object
    private bool MayMatch(Exception exception)
    {
        if (_entries.Length == 0 || !ExceptionLevels.IsAlone(exception))
        {
            return _entries.Length > 0;
        }

        foreach (var (type, _) in _entries)
        {
            if (type.IsInstanceOfType(exception))
            {
                return true;
            }
        }

        return false;
    }

    private IEnumerable<(TEntry Entry, Exception Exception)> All(Exception exception)
    {
        foreach (var level in ExceptionLevels.Of(exception))
        {
            foreach (var (type, entry) in _entries)
            {
                foreach (var candidate in level)
                {
                    if (type.IsInstanceOfType(candidate))
                    {
                        yield return (entry, candidate);
                    }
                }
            }
        }
    }

    private static int Depth(Type type)
    {
        var depth = 0;
        for (var ancestor = type.BaseType; ancestor is not null; ancestor = ancestor.BaseType)
        {
            depth++;
        }

        return depth;
    }
}
