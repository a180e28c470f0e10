using System.Diagnostics;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>Waits for something that happens on a broker or in another process, where there is no event to wait for.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">The condition, looked at every 50 ms.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="otherwise">Tells what was found instead, for whoever reads the failure.</param>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static Task TrueAsync(Func<bool> condition, TimeSpan deadline, Func<string>? otherwise = null) =>
        TrueAsync(() => Task.FromResult(condition()), deadline, otherwise);

    /// <inheritdoc cref="TrueAsync(Func{bool}, TimeSpan, Func{string}?)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan deadline, Func<string>? otherwise = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > deadline)
            {
                throw new TimeoutException($"Not within {deadline}: {otherwise?.Invoke() ?? "the condition did not hold"}.");
            }

            await Task.Delay(Look);
        }
    }
}
