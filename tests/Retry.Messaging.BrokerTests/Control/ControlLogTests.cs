using System.Text;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Control;

/// <summary>The control log on a broker: its end is found without writing, it is bounded, and what lives is always in it.</summary>
[Collection(OperatorBroker.Name)]
public sealed class ControlLogTests(BrokerFixture fixture, ITestOutputHelper output)
{
    private const string Kind = "limit";

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public async Task The_end_of_a_burst_is_found_without_writing(int burst)
    {
        await using var raw = await RawClient.ConnectAsync(await fixture.CreateVirtualHostAsync());
        await using (var first = await OpenAsync(raw.Connection, declare: true))
        {
            await first.AppendAsync(Record(1, "first"), default);
        }

        await raw.PublishManyAsync(string.Empty, BrokerNames.ControlStream, Enumerable.Range(1, burst).Select(i => Message(Record(i, $"busy {i}"))));

        for (var i = 0; i < 5; i++)
        {
            await using var log = await OpenAsync(raw.Connection, declare: false);
            log.OfKind(Kind).Count.ShouldBe(burst + 1);
        }

        (await RawStream.CountAsync(raw.Connection, BrokerNames.ControlStream)).ShouldBe(burst + 1);
    }

    /// <summary>Without the moment's wait, readers lose their connection in most rounds, on 3.10 at least.</summary>
    [Fact]
    public async Task Who_reads_or_writes_while_a_stream_is_being_declared_keeps_its_connection()
    {
        var address = await fixture.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        for (var round = 0; round < 10; round++)
        {
            var name = $"stream.{round}";
            await using var connection = await BrokerFixture.ConnectAsync(address);
            await using var declaring = new RecordStream(raw.Connection, name, Announcements.Retention, TimeProvider.System);
            var declared = declaring.DeclareAsync(default);
            while (true)
            {
                await using var stream = new RecordStream(connection, name, Announcements.Retention, TimeProvider.System);
                if (await stream.FollowAsync(static _ => { }, static _ => { }, default))
                {
                    await stream.AppendAsync(new BasicProperties(), new byte[1], default);
                    break;
                }
            }

            await declared;
            connection.IsOpen.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Who_may_only_read_reads_and_leaves_no_record()
    {
        var address = await fixture.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        using var management = new RawManagement(fixture.Broker, address);
        await management.SetUserAsync("onlooker", "onlooker", mayConfigure: "^$", mayWrite: "^$");
        await using (var log = await OpenAsync(raw.Connection, declare: true))
        {
            await log.AppendAsync(Record(1, "orders"), default);
        }

        await using var connection = await BrokerFixture.ConnectAsync(new UriBuilder(address) { UserName = "onlooker", Password = "onlooker" }.Uri);
        await using (var log = await OpenAsync(connection, declare: false))
        {
            log.Find(Kind, "orders")!.Version.ShouldBe(1);
            (await Should.ThrowAsync<ControlException>(() => log.AppendAsync(Record(2, "orders"), default))).Message.ShouldContain(BrokerNames.ControlStream);
        }

        (await RawStream.CountAsync(raw.Connection, BrokerNames.ControlStream)).ShouldBe(1);
    }

    [Fact]
    public async Task Where_there_is_no_log_nothing_is_set_and_none_is_made()
    {
        await using var raw = await RawClient.ConnectAsync(await fixture.CreateVirtualHostAsync());

        await using (var log = await OpenAsync(raw.Connection, declare: false))
        {
            log.IsThere.ShouldBeFalse();
            log.OfKind(Kind).ShouldBeEmpty();
        }

        (await raw.CountAsync(BrokerNames.ControlStream)).ShouldBeNull();
    }

    [Fact]
    public Task What_lives_stays_after_as_much_churn_as_retention_takes() => ChurnAsync(30_000);

    [Trait("Category", "Long")]
    [Fact]
    public Task After_a_million_records_a_newcomer_reads_all_that_lives() => ChurnAsync(1_000_000);

    private async Task ChurnAsync(int records)
    {
        await using var raw = await RawClient.ConnectAsync(await fixture.CreateVirtualHostAsync());
        await using var writer = await OpenAsync(raw.Connection, declare: true);
        const int Quiet = 200;
        for (var i = 0; i < Quiet; i++)
        {
            await writer.AppendAsync(Record(1, $"quiet {i}"), default);
        }

        // many at once, as many operators and limiters would; each of them repeats what is due
        for (var written = 0; written < records; written += 1000)
        {
            await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => writer.AppendAsync(Record(1 + (written / 1000), $"busy {i}"), default)));
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        await using var newcomer = await OpenAsync(raw.Connection, declare: false);
        var took = clock.Elapsed;

        output.WriteLine($"{fixture.Broker.Version}: after {records} records a newcomer read {await RawStream.CountAsync(raw.Connection, BrokerNames.ControlStream)} in {took.TotalSeconds:0.00} s");
        newcomer.OfKind(Kind).Count(document => document.Key.StartsWith("quiet", StringComparison.Ordinal)).ShouldBe(Quiet);
        newcomer.OfKind(Kind).Select(document => (document.Key, document.Version, document.Id)).Order()
            .ShouldBe(writer.OfKind(Kind).Select(document => (document.Key, document.Version, document.Id)).Order());
    }

    private static Task<ControlLog> OpenAsync(IConnection connection, bool declare) =>
        ControlLog.OpenAsync(new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, TimeProvider.System), declare, static _ => { }, static () => { }, CancellationToken.None);

    private static ControlRecord Record(long version, string key) => new(Kind, key, version, Encoding.UTF8.GetBytes($$"""{"point":"{{key}}","perSecond":{{version}}}""")) { By = "night shift", At = DateTimeOffset.UnixEpoch };

    private static (byte[] Body, BasicProperties Properties) Message(ControlRecord record) => (record.Body.ToArray(), ControlRecordFormat.Write(record));
}
