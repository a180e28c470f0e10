using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.State;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class FaultIdTests
{
    [Fact]
    public void The_same_park_has_the_same_fault_whenever_and_wherever_it_is_repeated() =>
        FaultId.Of(new RetryState { Id = "m-1", Attempt = 3, Error = "one" }).ShouldBe(FaultId.Of(new RetryState { Id = "m-1", Attempt = 4, Error = "two", Crashes = 1 }));

    [Fact]
    public void It_never_changes_between_versions() =>
        FaultId.Of(new RetryState { Id = "m-1" }).ToString().ShouldBe("ee3b2668-f545-8eab-8f69-b365f3a60860");

    [Fact]
    public void Another_message_and_another_replay_have_another_fault()
    {
        var ids = new[] { new RetryState { Id = "m-1" }, new RetryState { Id = "m-2" }, new RetryState { Id = "m-1", Replayed = 1 }, new RetryState { Id = "m-1", Replayed = 2 } };

        ids.Select(FaultId.Of).Distinct().Count().ShouldBe(4);
        ids.Select(FaultId.Of).ShouldAllBe(id => id.Version == 8);
    }
}
