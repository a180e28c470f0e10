using Retry.Messaging.Configuration;

namespace Retry.Messaging.Breaker;

/// <summary>How many deliveries may begin under a cap, where a permit may be used some time after it was given. Pure.</summary>
/// <remarks>
/// A token bucket (J. Turner, New directions in communications, 1986) whose tokens go when a delivery begins, and not when its permit is given:
/// otherwise a permit that was used late and the next one, used at once, would be closer than the cap allows. So no more permits are out than
/// there are tokens, and one that has ended unused takes its token along, since nobody knows for sure that it was not used.
/// Times are seconds on a clock that does not go back.
/// </remarks>
/// <param name="worth">For how long a permit may be used, in seconds.</param>
internal sealed class PermitAllowance(double worth)
{
    // a hundred hundredths are a little less than one
    private const double Rounding = 1e-6;

    private readonly Dictionary<long, double> _out = [];
    private RedeliveryLimit? _limit;
    private double _tokens;
    private double _at;

    /// <summary>Gets a value indicating whether there is a cap.</summary>
    public bool IsLimited => _limit is not null;

    /// <summary>Sets the cap. What was saved under another one is kept, up to the new burst.</summary>
    public void Change(RedeliveryLimit? limit, double now)
    {
        Accrue(now);
        _limit = limit;
    }

    /// <summary>Returns how many permits may be given now.</summary>
    public int Room(double now)
    {
        Accrue(now);
        foreach (var (permit, _) in _out.Where(permit => permit.Value <= now).ToList())
        {
            _out.Remove(permit);
            _tokens--;
        }

        return (int)Math.Floor(_tokens + Rounding) - _out.Count;
    }

    /// <summary>Returns after how many seconds there may be room.</summary>
    public double Next(double now)
    {
        var missing = _out.Count + 1 - _tokens - ((now - _at) * _limit!.PerSecond);
        return Math.Max(missing, 0) / _limit.PerSecond;
    }

    /// <summary>A permit is given.</summary>
    public void Given(long permit, double now) => _out[permit] = now + worth;

    /// <summary>A delivery has begun with a permit, whoever gave it.</summary>
    public void Began(long permit, double now)
    {
        Accrue(now);
        _out.Remove(permit);
        _tokens--;
    }

    private void Accrue(double now)
    {
        if (_limit is { } limit)
        {
            _tokens = Math.Min(limit.Burst, _tokens + ((now - _at) * limit.PerSecond));
        }

        _at = now;
    }
}
