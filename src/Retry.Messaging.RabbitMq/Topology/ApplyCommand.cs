namespace Retry.Messaging.RabbitMq.Topology;

/// <summary>The command line that declares the ladder and some retry points, as messages print it.</summary>
internal static class ApplyCommand
{
    private const string Apply = "retryctl topology apply";

    /// <summary>The command for some points.</summary>
    /// <param name="points">Their work queues.</param>
    /// <param name="isolated">Those of them that have a release queue too, because they are limited or isolated.</param>
    public static string For(IEnumerable<string> points, IEnumerable<string>? isolated = null)
    {
        var released = (isolated ?? []).ToHashSet(StringComparer.Ordinal);
        return Apply + string.Concat(points.Union(released, StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(point => $" {(released.Contains(point) ? "--isolated" : "--point")} {Quoted(point)}"));
    }

    /// <summary>The command for the plans of some points.</summary>
    /// <param name="points">What each adds to the ladder, and its work queue.</param>
    public static string For(IEnumerable<KeyValuePair<TopologyPlan, string>> points)
    {
        var known = points.ToList();
        return For(known.Select(point => point.Value), known.Where(point => point.Key.HasReleaseQueue).Select(point => point.Value));
    }

    private static string Quoted(string queue) =>
        queue.All(letter => char.IsLetterOrDigit(letter) || letter is '.' or '-' or '_' or ':' or '/') ? queue : $"\"{queue}\"";
}
