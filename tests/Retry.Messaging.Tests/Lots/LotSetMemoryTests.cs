using Retry.Messaging.RabbitMq.Lots;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Lots;

/// <summary>The heap is that of the whole process, so nothing else runs meanwhile.</summary>
[Collection(nameof(LotSetMemoryTests))]
[CollectionDefinition(nameof(LotSetMemoryTests), DisableParallelization = true)]
public sealed class LotSetMemoryTests
{
    [Fact]
    public void Keeps_many_in_eight_bytes_each()
    {
        // so many that what others leave behind is no tenth of a byte for each
        const int Many = 3_000_000;
        var before = SettledHeap();
        var set = new LotSet(Enumerable.Range(0, Many).Select(number => (ulong)number * 7919));
        set.Keys.Length.ShouldBe(Many);

        var bytes = (double)(SettledHeap() - before) / Many;

        bytes.ShouldBeInRange(8, 9);
        set.Count.ShouldBe(Many);
    }

    // what earlier tests left is collected, and their finalizers have run
    private static long SettledHeap()
    {
        var (last, now) = (long.MaxValue, GC.GetTotalMemory(forceFullCollection: true));
        for (var tries = 0; tries < 20 && Math.Abs(last - now) > 10_000; tries++)
        {
            GC.WaitForPendingFinalizers();
            (last, now) = (now, GC.GetTotalMemory(forceFullCollection: true));
        }

        return now;
    }
}
