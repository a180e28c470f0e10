using System.Diagnostics;

namespace Retry.Messaging.Tests.Waiting;

/// <summary>Times that belong to what a test plays: how long a broker is away, how far apart two restarts are, how long something is measured.</summary>
internal static class Scenario
{
    /// <summary>Lets time pass that is part of the scenario, or that the code under test promises to need. It waits for no event and checks nothing.</summary>
    public static Task PauseAsync(TimeSpan duration) => Task.Delay(duration);

    /// <summary>Lets time pass until a clock shows it, so that what happens at a pace does not fall behind by the time it takes itself.</summary>
    public static Task PauseUntilAsync(Stopwatch clock, TimeSpan time)
    {
        var left = time - clock.Elapsed;
        return Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }
}
