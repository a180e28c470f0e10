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
        const int Many = 300_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var set = new LotSet(Enumerable.Range(0, Many).Select(number => (ulong)number * 7919));
        set.Keys.Length.ShouldBe(Many);

        var bytes = (double)(GC.GetTotalMemory(forceFullCollection: true) - before) / Many;

        bytes.ShouldBeInRange(8, 9);
        set.Count.ShouldBe(Many);
    }
}
