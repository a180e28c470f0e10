namespace Retry.Messaging.Benchmarks.Raw;

/// <summary>Up to which number everything has been settled, where single numbers are settled in any order. Numbers start at 1.</summary>
/// <param name="window">How far apart two unsettled numbers may be.</param>
internal sealed class Watermark(int window)
{
    private readonly bool[] _settled = new bool[window];

    /// <summary>Gets the highest number up to which all are settled.</summary>
    public ulong Value { get; private set; }

    /// <summary>Settles one number, or all up to it.</summary>
    public void Settle(ulong number, bool andAllBefore = false)
    {
        if (andAllBefore)
        {
            while (Value < number)
            {
                _settled[++Value % (ulong)window] = false;
            }
        }
        else if (number > Value)
        {
            _settled[number % (ulong)window] = true;
        }

        while (_settled[(Value + 1) % (ulong)window])
        {
            _settled[++Value % (ulong)window] = false;
        }
    }
}
