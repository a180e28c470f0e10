using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Retry.Messaging;

/// <summary>Durations as people write them: <c>100ms</c>, <c>1m30s</c>, <c>2h</c>, <c>1d</c>.</summary>
/// <remarks>
/// Units are d, h, m, s and ms, in lower case, from the largest to the smallest, each at most once; a number may have decimals
/// (<c>1.5s</c>). The same in every culture. A number without a unit is refused, because it could count anything.
/// </remarks>
internal static class DurationText
{
    private static readonly (string Name, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour),
        ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Reads a duration.</summary>
    /// <param name="text">For example <c>1m30s</c>.</param>
    /// <returns>The duration, zero or longer.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="FormatException">It is not a duration; the message says found and wanted.</exception>
    public static TimeSpan Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out var duration) ? duration
            : throw new FormatException($"Found '{text}', wanted a duration such as '100ms', '30s', '1m30s', '2h' or '1d'.");
    }

    /// <summary>Reads a duration, if it is one.</summary>
    /// <param name="text">For example <c>1m30s</c>.</param>
    /// <param name="duration">The duration, or zero when the answer is false.</param>
    /// <returns>Whether it is a duration.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        var rest = text.AsSpan();
        var nextUnit = 0;
        decimal ticks = 0;
        while (!rest.IsEmpty)
        {
            var numberLength = LengthWhile(rest, c => char.IsAsciiDigit(c) || c == '.');
            var number = rest[..numberLength];
            rest = rest[numberLength..];
            var unitLength = LengthWhile(rest, char.IsAsciiLetterLower);
            var unit = IndexOfUnit(rest[..unitLength], nextUnit);
            rest = rest[unitLength..];

            // No TimeSpan needs more than 20 characters a number.
            if (unit < 0
                || numberLength is 0 or > 20
                || !char.IsAsciiDigit(number[0])
                || !char.IsAsciiDigit(number[^1])
                || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
                || amount > long.MaxValue / Units[unit].Ticks)
            {
                return false;
            }

            ticks += amount * Units[unit].Ticks;
            nextUnit = unit + 1;
        }

        if (ticks > long.MaxValue)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)ticks);
        return true;
    }

    /// <summary>Writes a duration so that <see cref="Parse"/> reads it back exactly.</summary>
    /// <param name="duration">The duration. A negative one gets a minus sign, which only people can read.</param>
    /// <returns>For example <c>1m30s</c>; <c>0s</c> for zero.</returns>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
        {
            return "0s";
        }

        var text = new StringBuilder(duration < TimeSpan.Zero ? "-" : "");
        var rest = Math.Abs((decimal)duration.Ticks); // decimal: the shortest TimeSpan has no positive counterpart in long
        foreach (var (name, ticks) in Units)
        {
            var amount = name == "ms" ? rest / ticks : decimal.Truncate(rest / ticks);
            if (amount > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{amount:0.####}{name}");
                rest -= amount * ticks;
            }
        }

        return text.ToString();
    }

    private static int LengthWhile(ReadOnlySpan<char> text, Func<char, bool> accepts)
    {
        var length = 0;
        while (length < text.Length && accepts(text[length]))
        {
            length++;
        }

        return length;
    }

    private static int IndexOfUnit(ReadOnlySpan<char> name, int from)
    {
        for (var i = from; i < Units.Length; i++)
        {
            if (name.SequenceEqual(Units[i].Name))
            {
                return i;
            }
        }

        return -1;
    }
}
