using Cronos;

namespace Retry.Messaging.Recurring;

/// <summary>The moments at which a recurring message is due: a cron expression in a time zone, between a first and a last moment. Pure.</summary>
/// <remarks>
/// What a change of the clock does to a slot is Cronos' rule, which is that of Vixie cron. A time of day that the clock leaves out in
/// spring is due at the moment of the change; one that comes twice in autumn is due the first time. What goes by intervals, an asterisk or a step
/// in hour, minute or second, keeps to its interval over both. So the moments only ever grow, and each is one slot.
/// </remarks>
internal sealed class CronSlots
{
    private readonly CronExpression _cron;
    private readonly TimeZoneInfo _zone;
    private readonly DateTimeOffset _first;
    private readonly DateTimeOffset _last;

    private CronSlots(CronExpression cron, TimeZoneInfo zone, DateTimeOffset? first, DateTimeOffset? last)
    {
        _cron = cron;
        _zone = zone;
        _first = first ?? DateTimeOffset.MinValue;
        _last = last ?? DateTimeOffset.MaxValue;
    }

    /// <summary>Reads an expression.</summary>
    /// <param name="cron">Five fields, or six with seconds first: <c>0 2 * * *</c>, <c>0/10 * * * * *</c>. Also <c>@hourly</c> and the like.</param>
    /// <param name="timeZone">The zone that the fields are in, as IANA names it; <see langword="null"/> or empty for UTC.</param>
    /// <param name="first">No slot is before it; <see langword="null"/> for any.</param>
    /// <param name="last">No slot is after it; <see langword="null"/> for any.</param>
    /// <exception cref="FormatException">The expression or the zone cannot be read. The message is for people.</exception>
    public static CronSlots Parse(string cron, string? timeZone = null, DateTimeOffset? first = null, DateTimeOffset? last = null)
    {
        var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
        try
        {
            return new CronSlots(
                CronExpression.Parse(cron, fields == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard),
                string.IsNullOrWhiteSpace(timeZone) ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(timeZone),
                first,
                last);
        }
        catch (CronFormatException exception)
        {
            throw new FormatException(
                $"Found the cron expression '{cron}' ({exception.Message.TrimEnd('.')}), wanted five fields, or six with seconds first: '0 2 * * *' is two o'clock each day, '0/10 * * * * *' every ten seconds. Quartz's field for years is not known, and its Sunday, 1, is 0 here.",
                exception);
        }
        catch (Exception exception) when (exception is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            throw new FormatException(
                $"Found the time zone '{timeZone}', which this machine does not know; wanted a name such as 'Europe/Berlin', or none for UTC. A container without the package tzdata knows UTC alone.",
                exception);
        }
    }

    /// <summary>The first slot after a moment; <see langword="null"/> where there is none.</summary>
    public DateTimeOffset? After(DateTimeOffset moment)
    {
        var next = moment < _first
            ? _cron.GetNextOccurrence(_first, _zone, inclusive: true)
            : _cron.GetNextOccurrence(moment, _zone);
        return next <= _last ? next.Value.ToUniversalTime() : null;
    }

    /// <summary>The last slot up to a moment, not looking back further than another; <see langword="null"/> where there is none.</summary>
    /// <remarks>Found by <see cref="After"/> alone: Cronos' way backwards passes over a slot that a change of the clock has moved (0.13).</remarks>
    public DateTimeOffset? UpTo(DateTimeOffset moment, DateTimeOffset notBefore)
    {
        // a slot is near as a rule, and far away for what comes once a year
        for (var back = TimeSpan.FromMinutes(1); ; back *= 4)
        {
            var isFirst = moment - notBefore <= back;
            var found = After(isFirst ? notBefore : moment - back);
            if (found <= moment)
            {
                for (var next = After(found.Value); next <= moment; next = After(next.Value))
                {
                    found = next;
                }

                return found;
            }

            if (isFirst)
            {
                return null;
            }
        }
    }
}
