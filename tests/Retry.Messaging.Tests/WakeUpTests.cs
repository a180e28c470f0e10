using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.RabbitMq;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests;

public sealed class WakeUpTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly WakeUp _wakeUp;

    public WakeUpTests() => _wakeUp = new WakeUp(_clock);

    [Fact]
    public async Task What_has_happened_since_the_last_wait_ends_the_next_one_and_only_that()
    {
        _wakeUp.Set();
        _wakeUp.Set();

        await _wakeUp.WaitAsync(Second, CancellationToken.None).WaitAsync(Deadline);

        var next = _wakeUp.WaitAsync(Second, CancellationToken.None);
        next.IsCompleted.ShouldBeFalse();
        _wakeUp.Set();
        await next.WaitAsync(Deadline);
    }

    [Fact]
    public async Task It_waits_by_its_clock_and_waits_again_when_that_was_all()
    {
        for (var i = 0; i < 2; i++)
        {
            var wait = _wakeUp.WaitAsync(Second, CancellationToken.None);
            _clock.Advance(Second - TimeSpan.FromMilliseconds(1));
            wait.IsCompleted.ShouldBeFalse();

            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await wait.WaitAsync(Deadline);
        }
    }

    [Fact]
    public async Task Cancelled_it_does_not_end_as_if_something_had_happened()
    {
        using var stop = new CancellationTokenSource();
        var wait = _wakeUp.WaitAsync(Second, stop.Token);

        await stop.CancelAsync();

        await wait.WaitAsync(Deadline).ShouldThrowAsync<OperationCanceledException>();
    }
}
