using System.Text;

namespace Retry.Messaging.Outcomes;

/// <summary>Why a message was parked. An open list: a reason that a later version wrote is kept as its text.</summary>
public readonly record struct ParkReason
{
    /// <summary>The longest name, in UTF-16 characters: 64. Longer text is cut.</summary>
    public const int MaxLength = 64;

    private static readonly ParkReason[] KnownReasons =
    [
        new("Exhausted"), new("Failed"), new("Expired"), new("Malformed"), new("Unhandled"), new("Poison"), new("Undeliverable"),
        new("KeyReused"), new("Uncertain"), new("SwitchedOff"),
    ];

    private readonly string? _name;

    private ParkReason(string name) => _name = name;

    /// <summary>Gets the reason of a message that used up its retries.</summary>
    public static ParkReason Exhausted => KnownReasons[0];

    /// <summary>Gets the reason of a message whose attempt ended in <see cref="Outcome.Fail"/>.</summary>
    public static ParkReason Failed => KnownReasons[1];

    /// <summary>Gets the reason of a message whose validity period, or own deadline, is over.</summary>
    public static ParkReason Expired => KnownReasons[2];

    /// <summary>Gets the reason of a message that cannot be read.</summary>
    public static ParkReason Malformed => KnownReasons[3];

    /// <summary>Gets the reason of a message for whose type there is no consumer.</summary>
    public static ParkReason Unhandled => KnownReasons[4];

    /// <summary>Gets the reason of a message suspected of killing its consumer.</summary>
    public static ParkReason Poison => KnownReasons[5];

    /// <summary>Gets the reason of a message that could not be delivered.</summary>
    public static ParkReason Undeliverable => KnownReasons[6];

    /// <summary>Gets the reason of a message whose idempotency key belongs to a message with other content.</summary>
    public static ParkReason KeyReused => KnownReasons[7];

    /// <summary>Gets the reason of a message of which nobody knows whether its effect happened: the process that ran it did not say how it ended.</summary>
    public static ParkReason Uncertain => KnownReasons[8];

    /// <summary>Gets the reason of a message that failed while an operator had switched its point's retries off.</summary>
    public static ParkReason SwitchedOff => KnownReasons[9];

    /// <summary>Gets the reasons that this version knows.</summary>
    public static IReadOnlyList<ParkReason> Known => KnownReasons.AsReadOnly();

    /// <summary>Gets the name as it stands in headers; <c>Unknown</c> where none was given.</summary>
    public string Name => _name ?? "Unknown";

    /// <summary>Gets a value indicating whether this version knows the reason.</summary>
    public bool IsKnown => Array.IndexOf(KnownReasons, this) >= 0;

    /// <summary>Reads a reason. Never fails: it may come from a stranger.</summary>
    /// <param name="text">A name in any case, or anything else.</param>
    /// <returns>
    /// The known reason of that name; else one that keeps the text, without outer white space, with control characters replaced
    /// and cut to <see cref="MaxLength"/>; <c>Unknown</c> where there is no text.
    /// </returns>
    public static ParkReason Parse(string? text)
    {
        var name = text.AsSpan().Trim();
        foreach (var known in KnownReasons)
        {
            if (name.Equals(known.Name, StringComparison.OrdinalIgnoreCase))
            {
                return known;
            }
        }

        if (name.IsEmpty || name.Equals(default(ParkReason).Name, StringComparison.OrdinalIgnoreCase))
        {
            return default;
        }

        // By runes, so that the cut never leaves half a character; control characters would drive an operator's terminal.
        var kept = new StringBuilder(MaxLength);
        foreach (var rune in name.EnumerateRunes())
        {
            var shown = Rune.IsControl(rune) ? Rune.ReplacementChar : rune;
            if (kept.Length + shown.Utf16SequenceLength > MaxLength)
            {
                break;
            }

            kept.Append(shown.ToString());
        }

        return new ParkReason(kept.ToString());
    }

    /// <summary>Returns <see cref="Name"/>.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;
}
