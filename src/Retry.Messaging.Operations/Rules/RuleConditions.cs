using System.Collections.Immutable;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Which messages a rule replays: the conditions of a replay, as text, because ages count back from each run.</summary>
internal sealed record RuleConditions
{
    /// <summary>The reason.</summary>
    public string? Reason { get; init; }

    /// <summary>A part of the exception's type.</summary>
    public string? Exception { get; init; }

    /// <summary>A part of the message's type.</summary>
    public string? Type { get; init; }

    /// <summary>A part of the last error.</summary>
    public string? Text { get; init; }

    /// <summary>Headers that have exactly these values.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>How many attempts at least.</summary>
    public int? AttemptsFrom { get; init; }

    /// <summary>How many attempts at most.</summary>
    public int? AttemptsTo { get; init; }

    /// <summary>A group, as <c>KEY=ID</c>.</summary>
    public string? Group { get; init; }

    /// <summary>Parked at or after: a time, or an age.</summary>
    public string? Since { get; init; }

    /// <summary>Parked before: a time, or an age.</summary>
    public string? Until { get; init; }

    /// <summary>The filter of a run.</summary>
    /// <param name="now">When the run begins.</param>
    /// <exception cref="FormatException">A condition makes no sense here. One that is not understood must not be left out.</exception>
    public ParkedFilter ToFilter(DateTimeOffset now) => ParkedFilter.All with
    {
        Reason = Reason is null ? null : ParkReason.Parse(Reason),
        ExceptionType = Exception,
        MessageType = Type,
        Text = Text,
        Headers = Headers.ToImmutableDictionary(StringComparer.Ordinal),
        Tenant = Tenant,
        AttemptsFrom = AttemptsFrom,
        AttemptsTo = AttemptsTo,
        Since = MomentOf(Since, now),
        Until = MomentOf(Until, now),
        Also = Group is null ? null : ParkedGrouping.ConditionOf(Group) ?? throw new FormatException($"Found the group '{Group}', wanted KEY=ID."),
    };

    /// <summary>Each of them, for people.</summary>
    public IReadOnlyList<string> Words()
    {
        var attempts = (AttemptsFrom, AttemptsTo) switch
        {
            (null, null) => null,
            var (from, to) when from == to => $"{from}",
            var (from, to) => $"{from}..{to}",
        };
        (string Name, string? Value)[] all =
        [
            ("reason", Reason), ("exception", Exception), ("type", Type), ("text", Text), ("tenant", Tenant), ("attempts", attempts), ("group", Group),
            ("since", Since), ("until", Until),
            .. Headers.Select(header => ("header", (string?)$"{header.Key}={header.Value}")),
        ];
        return [.. all.Where(one => one.Value is not null).Select(one => $"{one.Name} {one.Value}")];
    }

    private static DateTimeOffset? MomentOf(string? text, DateTimeOffset now) => text is null
        ? null
        : MomentText.Read(text, now) ?? throw new FormatException($"Found the moment '{text}', wanted a time or an age.");
}
