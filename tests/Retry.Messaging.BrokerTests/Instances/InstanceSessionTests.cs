using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Instances;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Instances;

/// <summary>Who died, and who only stopped, as the broker shows it.</summary>
[Collection(SharedBroker.Name)]
public sealed class InstanceSessionTests(BrokerFixture broker)
{
    private const string Queue = "orders";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_goes_without_a_word_has_died_and_who_says_so_has_stopped(bool saysSo)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var connection = await BrokerFixture.ConnectAsync(uri);
        var observer = await OpenAsync(connection, "observer", TimeProvider.System);
        await using (var leaving = await BrokerFixture.ConnectAsync(uri))
        {
            var other = await OpenAsync(leaving, "other", TimeProvider.System);
            (await observer.HasSomebodyDiedAsync(Queue, default)).ShouldBeFalse();
            if (saysSo)
            {
                await other.EndAsync(default);
            }
        }

        await using var raw = await RawClient.ConnectAsync(uri);
        await Eventually.TrueAsync(async () => await raw.CountAsync(BrokerNames.InstanceQueue("other")) is null, Deadline);
        (await observer.HasSomebodyDiedAsync(Queue, default)).ShouldBe(!saysSo);
        (await observer.HasSomebodyDiedAsync("another queue", default)).ShouldBeFalse();
    }

    [Fact]
    public async Task Who_is_back_with_another_connection_lives()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var connection = await BrokerFixture.ConnectAsync(uri);
        var observer = await OpenAsync(connection, "observer", TimeProvider.System);
        await using (var lost = await BrokerFixture.ConnectAsync(uri))
        {
            await OpenAsync(lost, "other", TimeProvider.System);
        }

        await Eventually.TrueAsync(() => observer.HasSomebodyDiedAsync(Queue, default), Deadline);
        await using var found = await BrokerFixture.ConnectAsync(uri);
        await OpenAsync(found, "other", TimeProvider.System);

        (await observer.HasSomebodyDiedAsync(Queue, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_death_explains_what_comes_back_for_ten_minutes_and_is_then_forgotten_by_all()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var connection = await BrokerFixture.ConnectAsync(uri);
        var observer = await OpenAsync(connection, "observer", new FastClock(60));
        await using (var leaving = await BrokerFixture.ConnectAsync(uri))
        {
            await OpenAsync(leaving, "other", TimeProvider.System);
        }

        await Eventually.TrueAsync(() => observer.HasSomebodyDiedAsync(Queue, default), Deadline);
        await Eventually.TrueAsync(async () => !await observer.HasSomebodyDiedAsync(Queue, default), Deadline);

        // whoever comes now has not seen how long it is ago
        await using var late = await BrokerFixture.ConnectAsync(uri);
        (await (await OpenAsync(late, "newcomer", TimeProvider.System)).HasSomebodyDiedAsync(Queue, default)).ShouldBeFalse();
    }

    private static async Task<InstanceSession> OpenAsync(RabbitMQ.Client.IConnection connection, string instance, TimeProvider time)
    {
        var session = new InstanceSession(connection, instance, new(DateTimeOffset.UnixEpoch, "1.0.0", "none", ".NET", null), "test", time);
        await session.OpenAsync(default);
        await session.BeginAsync(new ServedPoint(Queue), default);
        return session;
    }
}
