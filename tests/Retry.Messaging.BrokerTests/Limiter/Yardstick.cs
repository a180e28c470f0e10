using System.Diagnostics;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>How late this machine wakes up a thread that does nothing but sleep, while something else is measured.</summary>
/// <remarks>
/// A measured instant is as good as the machine lets it be: on one that others keep busy, the reader of a socket, too, is
/// scheduled late, and messages look closer together than they were. What a plain thread suffers is allowed for, no more.
/// </remarks>
internal sealed class Yardstick : IDisposable
{
    private const double Quiet = 0.0005;

    // from the decision to the measured instant: the client's writer, then the reader before the broker
    private const int WakeUps = 2;

    private readonly Thread _thread;
    private volatile bool _ended;
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
        _ended = true;
        _thread.Join();
    }

    private void Run()
    {
        while (!_ended)
        {
            var before = Stopwatch.GetTimestamp();
            Thread.Sleep(1);
            var late = Stopwatch.GetElapsedTime(before).TotalSeconds - 0.001;
            _worst = Math.Max(_worst, late);
            _sum += late;
            _count++;
        }
    }
}
