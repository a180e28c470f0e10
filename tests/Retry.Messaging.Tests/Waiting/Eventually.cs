using System.Diagnostics;

namespace Retry.Messaging.Tests.Waiting;

/// <summary>Waits for something that happens on a broker, in another process or on another thread, where there is no event to wait for.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="otherwise">Tells what was found instead, for whoever reads the failure.</param>
    /// <param name="every">How long it waits between two looks, 50 ms unless told: longer where a look costs much, shorter where the test goes on at once.</param>
    /// <exception cref="TimeoutException">It did not hold in time.</exception>
    public static Task TrueAsync(Func<bool> condition, TimeSpan deadline, Func<string>? otherwise = null, TimeSpan? every = null) =>
        TrueAsync(() => Task.FromResult(condition()), deadline, otherwise, every);

    /// <inheritdoc cref="TrueAsync(Func{bool}, TimeSpan, Func{string}?, TimeSpan?)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan deadline, Func<string>? otherwise = null, TimeSpan? every = null)
    {
        if (!await IsTrueAsync(condition, deadline, every))
        {
            throw new TimeoutException($"Not within {deadline}: {otherwise?.Invoke() ?? "the condition did not hold"}.");
        }
    }

    /// <summary>Waits until a condition holds, for who goes on either way or has more to say about the failure.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="every">How long it waits between two looks, 50 ms unless told.</param>
    /// <returns>Whether it held in time.</returns>
    public static Task<bool> IsTrueAsync(Func<bool> condition, TimeSpan deadline, TimeSpan? every = null) =>
        IsTrueAsync(() => Task.FromResult(condition()), deadline, every);

    /// <inheritdoc cref="IsTrueAsync(Func{bool}, TimeSpan, TimeSpan?)"/>
    public static async Task<bool> IsTrueAsync(Func<Task<bool>> condition, TimeSpan deadline, TimeSpan? every = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > deadline)
            {
                return false;
            }

            await Task.Delay(every ?? Look);
        }

        return true;
    }
}
