using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>Counts parked messages by what they have in common. It keeps groups, never messages.</summary>
/// <param name="by">Tells what a message has in common with others.</param>
internal sealed class ParkedGrouping(Func<ParkedMessage, string?> by)
{
    /// <summary>How many groups are kept; a million messages may have a million values, and what comes later is counted together.</summary>
    public const int MostGroups = 10_000;

    /// <summary>The group of what came after the last group that is kept.</summary>
    public const string Others = "(others)";

    // a header may have a hundred thousand characters
    private const int LongestName = 300;

    private const string HeaderPrefix = "header:";

    private readonly Dictionary<string, ParkedGroup> _groups = new(StringComparer.Ordinal);

    /// <summary>What can be grouped by.</summary>
    public static IReadOnlyList<string> Keys { get; } = ["reason", "exception", "type", "tenant", "fingerprint", HeaderPrefix + "NAME"];

    /// <summary>The groups, the largest first.</summary>
    public IReadOnlyList<ParkedGroup> Groups => [.. _groups.Values.OrderByDescending(group => group.Count).ThenBy(group => group.Name, StringComparer.Ordinal)];

    /// <summary>All of them together.</summary>
    public ParkedGroup Total { get; private set; } = new(string.Empty);

    /// <summary>Groups by one of the <see cref="Keys"/>; <see langword="null"/> where there is none of that name.</summary>
    public static ParkedGrouping? By(string key) => key switch
    {
        "reason" => new(static message => message.Reason.Name),
        "exception" => new(static message => message.ExceptionTypes is [var type, ..] ? type : null),
        "type" => new(static message => message.MessageType),
        "tenant" => new(static message => message.Tenant),
        "fingerprint" => new(FailureFingerprint.Of),
        _ when key.StartsWith(HeaderPrefix, StringComparison.Ordinal) && key.Length > HeaderPrefix.Length => ByHeader(key[HeaderPrefix.Length..]),
        _ => null,
    };

    /// <summary>The condition to be in a group, from <c>KEY=ID</c>; <see langword="null"/> where that makes no sense.</summary>
    public static Func<ParkedMessage, bool>? ConditionOf(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && By(text[..equals]) is { } grouping ? message => grouping.IsIn(message, text[(equals + 1)..]) : null;
    }

    /// <summary>Counts a message.</summary>
    public void Add(ParkedMessage message)
    {
        var name = NameOf(message);
        if (_groups.Count >= MostGroups && !_groups.ContainsKey(name))
        {
            name = Others;
        }

        _groups[name] = With(_groups.GetValueOrDefault(name) ?? new ParkedGroup(name) { Example = message.Id }, message);
        Total = With(Total, message);
    }

    /// <summary>Whether a message belongs to a group.</summary>
    /// <param name="message">The message.</param>
    /// <param name="group">The group's name, or its id.</param>
    public bool IsIn(ParkedMessage message, string group) => NameOf(message) is var name && (name == group || ParkedGroup.IdOf(name) == group);

    private string NameOf(ParkedMessage message)
    {
        var whole = by(message) ?? string.Empty;
        return HeaderText.OneLine(whole, LongestName) + (whole.Length > LongestName ? "…" : string.Empty);
    }

    private static ParkedGroup With(ParkedGroup group, ParkedMessage message) => group with
    {
        Count = group.Count + 1,
        CameBack = group.CameBack + (message.Replayed > 0 ? 1 : 0),
        First = message.ParkedAt < group.First ? message.ParkedAt : group.First ?? message.ParkedAt,
        Last = message.ParkedAt > group.Last ? message.ParkedAt : group.Last ?? message.ParkedAt,
    };

    private static ParkedGrouping ByHeader(string header) =>
        new(message => message.RawHeaders is { } headers && headers.TryGetValue(header, out var value) ? ReadableHeaders.AsText(value) : null);
}
