using System.Runtime.CompilerServices;

namespace Retry.Messaging.Outcomes;

/// <summary>An exception and what is inside it, level by level: itself, then its inner exceptions, then theirs.</summary>
/// <remarks>
/// Reads no virtual member of an exception (Message, ToString, GetBaseException), because those may throw, visits each
/// instance once, because inner exceptions can form a circle, and gives up after <see cref="MostExceptions"/>.
/// </remarks>
internal static class ExceptionLevels
{
    /// <summary>How many exceptions of one chain are looked at: 256.</summary>
    internal const int MostExceptions = 256;

    /// <summary>Whether there is nothing inside an exception, as in most.</summary>
    internal static bool IsAlone(Exception exception) => exception.InnerException is null && exception is not AggregateException;

    /// <summary>What an exception was in the first place: <see cref="Exception.GetBaseException"/> without asking the exception.</summary>
    internal static Exception Innermost(Exception exception)
    {
        var innermost = exception;
        for (var level = 1; level < MostExceptions && innermost is not AggregateException { InnerExceptions.Count: > 1 }
            && innermost.InnerException is { } inner; level++)
        {
            innermost = inner;
        }

        return innermost;
    }

    /// <summary>Lists the levels, outermost first; the members of an <see cref="AggregateException"/> share a level.</summary>
    internal static IEnumerable<IReadOnlyList<Exception>> Of(Exception exception)
    {
        var seen = new HashSet<Exception>(ByReference.Comparer) { exception };
        List<Exception> level = [exception];
        while (level.Count > 0)
        {
            yield return level;

            List<Exception> next = [];
            foreach (var inner in level.SelectMany(Inner))
            {
                if (seen.Count < MostExceptions && seen.Add(inner))
                {
                    next.Add(inner);
                }
            }

            level = next;
        }
    }

    private static IEnumerable<Exception> Inner(Exception exception) =>
        exception is AggregateException aggregate ? aggregate.InnerExceptions
        : exception.InnerException is { } inner ? [inner]
        : [];

    /// <summary>An exception may override Equals, and that may throw.</summary>
    private sealed class ByReference : IEqualityComparer<Exception>
    {
        internal static readonly ByReference Comparer = new();

        public bool Equals(Exception? x, Exception? y) => ReferenceEquals(x, y);

        public int GetHashCode(Exception obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
