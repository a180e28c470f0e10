using System.Diagnostics;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>How late this machine wakes up a thread that does nothing but sleep, while something else is measured.</summary>
/// <remarks>
/// A measured instant is as good as the machine lets it be: on one that others keep busy, the reader of a socket, too, is
/// scheduled late, and messages look closer together than they were. What a plain thread suffers is allowed for, no more.
/// </remarks>
internal sealed class Yardstick : IDisposable
{
    private const double Quiet = 0.0002;

    // from the decision to the measured instant: the client's writer, then the reader before the broker
    private const int WakeUps = 2;

    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ended = new(false, spinCount: 0);
    private double _worst;
    private double _sum;
    private long _count;

    public Yardstick()
    {
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whether a measured mean says something about the limiter.</summary>
    public bool IsQuiet => MeanSeconds < Quiet;

    public double MeanSeconds => _sum / Math.Max(1, _count);

    /// <summary>The messages that the worst stalls may have pushed together.</summary>
    public double Allowance(double cap) => cap * _worst * WakeUps;

    public override string ToString() => FormattableString.Invariant($"machine: sleeps end {MeanSeconds * 1000:0.00} ms late, at worst {_worst * 1000:0.0} ms");

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
    }

    private void Run()
    {
        for (var before = Stopwatch.GetTimestamp(); !_ended.Wait(1); before = Stopwatch.GetTimestamp())
        {
            var late = Stopwatch.GetElapsedTime(before).TotalSeconds - 0.001;
            _worst = Math.Max(_worst, late);
            _sum += late;
            _count++;
        }
    }
}
