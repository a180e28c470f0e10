using System.Diagnostics;
using Shouldly;

namespace Retry.Messaging.Tests.Waiting;

/// <summary>Watches for a while that something does not happen.</summary>
internal static class Never
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Fails at once when a condition holds. It looks every 50 ms, and once more when the time is over.</summary>
    /// <param name="condition">What must not happen.</param>
    /// <param name="during">How long it is watched.</param>
    /// <param name="found">Tells what was found, for whoever reads the failure.</param>
    /// <exception cref="ShouldAssertException">It held.</exception>
    public static Task TrueAsync(Func<bool> condition, TimeSpan during, Func<string>? found = null) =>
        TrueAsync(() => Task.FromResult(condition()), during, found);

    /// <inheritdoc cref="TrueAsync(Func{bool}, TimeSpan, Func{string}?)"/>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan during, Func<string>? found = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            // read before the look, so that the last look begins when the time is over
            var (passed, left) = (clock.Elapsed, during - clock.Elapsed);
            if (await condition())
            {
                throw new ShouldAssertException($"Never within {during}, but after {passed}: {found?.Invoke() ?? "the condition held"}.");
            }

            if (left <= TimeSpan.Zero)
            {
                return;
            }

            await Task.Delay(left < Look ? left : Look);
        }
    }
}
