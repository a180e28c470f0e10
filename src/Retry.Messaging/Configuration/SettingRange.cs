namespace Retry.Messaging.Configuration;

/// <summary>The ends of the ranges that settings may have.</summary>
internal static class SettingRange
{
    /// <summary>The most retries that can be asked for by number; attempts must stay far from the end of an int.</summary>
    internal const int MostRetries = 1_000_000;

    /// <summary>The lowest rate of a limit, in messages per second: one an hour.</summary>
    internal const double LowestRate = 1.0 / 3600;

    /// <summary>The highest rate of a limit, in messages per second; beyond it a limit limits nothing.</summary>
    internal const double HighestRate = 1_000_000;

    /// <summary>The largest burst of a limit, in messages.</summary>
    internal const int LargestBurst = 1_000_000;

    /// <summary>The most retries that a budget may allow for each success; beyond it a budget limits nothing.</summary>
    internal const double LargestShare = 10;

    /// <summary>The longest name of a header, in bytes of UTF-8: what an AMQP short string holds.</summary>
    internal const int LongestHeaderName = 255;

    /// <summary>The longest time for one attempt: a timer of the runtime holds 49.7 days.</summary>
    internal static readonly TimeSpan LongestAttempt = TimeSpan.FromDays(49);

    /// <summary>The shortest time after which a waiting message comes by: a second of it is the clocks'.</summary>
    internal static readonly TimeSpan ShortestVisit = TimeSpan.FromSeconds(2);

    /// <summary>The longest time after which a waiting message comes by.</summary>
    internal static readonly TimeSpan LongestVisit = TimeSpan.FromDays(1);

    /// <summary>The shortest time between two probes of an ill target.</summary>
    internal static readonly TimeSpan ShortestProbeInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest time between two probes of an ill target.</summary>
    internal static readonly TimeSpan LongestProbeInterval = TimeSpan.FromHours(1);

    /// <summary>The longest validity period: deadlines must stay within what a date can hold.</summary>
    internal static readonly TimeSpan LongestValidity = TimeSpan.FromDays(3650);
}
