using System.Globalization;
using System.Text;
using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Postgres;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>On a broker: duplicates get the same answer, whatever happens to the process that gave it. A raw client sends and looks.</summary>
[Collection(ScheduleBroker.Name)]
public sealed class IdempotencyTests(BrokerFixture broker) : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly string Parked = OnceConsumer.Queue + ".parked";

    private readonly SqliteFile _file = new();
    private Uri _uri = null!;
    private RawClient _raw = null!;
    private string _books = null!;

    public async Task InitializeAsync()
    {
        _uri = await broker.CreateVirtualHostAsync();
        _raw = await RawClient.ConnectAsync(_uri);
        _books = await _raw.TapAsync(FaultExchange.ExchangeOf<OnceMessages.Booked>());
    }

    public async Task DisposeAsync() => await _raw.DisposeAsync();

    public void Dispose() => _file.Dispose();

    [Fact]
    public async Task Duplicates_are_answered_equally_each_to_its_own_requester_and_other_content_is_parked()
    {
        var replies = new[] { await _raw.TapAsync("replies-1"), await _raw.TapAsync("replies-2") };
        await using (var service = await OnceConsumer.StartAsync(_uri, _file.ConnectionString))
        {
            // at once: the second finds the first in progress
            await SendAsync(replyTo: "replies-1");
            await SendAsync(replyTo: "replies-2");
            await _raw.WaitForCountAsync(replies[1], 1, Deadline);
            await _raw.WaitForCountAsync(_books, 2, Deadline);
            await SendAsync(amount: "1250");
            await _raw.WaitForCountAsync(Parked, 1, Deadline);
        }

        _file.Count().ShouldBe(1);
        var first = Seen((await _raw.DrainAsync(replies[0])).ShouldHaveSingleItem());
        var second = Seen((await _raw.DrainAsync(replies[1])).ShouldHaveSingleItem());
        second.ShouldBe(first with { RequestId = second.RequestId });
        second.RequestId.ShouldNotBe(first.RequestId);
        var booked = (await _raw.DrainAsync(_books)).Select(Seen).ToList();
        booked.Count.ShouldBe(2);
        booked.Distinct().ShouldHaveSingleItem().CorrelationId.ShouldNotBeNullOrEmpty();
        var parked = (await _raw.DrainAsync(Parked)).ShouldHaveSingleItem();
        parked.Reason().ShouldBe("KeyReused");
        Encoding.UTF8.GetString(parked.Body.Span).ShouldContain("1250");
        await _raw.ShouldHaveLeftNothingBehindAsync(OnceConsumer.Queue);
    }

    [Theory]
    [InlineData(nameof(OnceConsumer.Dies.Written), 1)]
    [InlineData(nameof(OnceConsumer.Dies.Committed), 1)]
    [InlineData(nameof(OnceConsumer.Dies.Sent), 2)]
    public async Task A_process_that_is_killed_between_effect_and_acknowledgement_leaves_one_effect_and_its_answer(string dies, uint answers)
    {
        var killed = OnceProcess(dies);
        await SendWhenThereAsync();
        await killed.WaitForExitAsync().WaitAsync(Deadline);

        await using (var service = await OnceConsumer.StartAsync(_uri, _file.ConnectionString))
        {
            await _raw.WaitForCountAsync(_books, answers, Deadline);
        }

        _file.Count().ShouldBe(1);
        (await _raw.DrainAsync(_books)).Select(Seen).Distinct().ShouldHaveSingleItem();
        (await _raw.CountAsync(Parked)).ShouldBe(0u);
        await _raw.ShouldHaveLeftNothingBehindAsync(OnceConsumer.Queue);
    }

    [Fact]
    public async Task A_process_that_slept_beyond_its_lease_commits_and_sends_nothing_of_its_own() =>
        (await SleepsAsync(_file.ConnectionString, () => Task.FromResult(_file.Count()))).ShouldBe(1);

    [PostgresFact]
    public async Task A_process_that_slept_beyond_its_lease_commits_nothing_in_PostgreSQL_either()
    {
        await using var server = await PostgresServer.StartAsync();
        var database = await server.CreateDatabaseAsync();
        await PostgresServer.ExecuteAsync(database, "CREATE TABLE effects (what TEXT NOT NULL)");

        (await SleepsAsync(database, async () => Convert.ToInt32(
            await PostgresServer.ExecuteAsync(database, "SELECT count(*) FROM effects"),
            CultureInfo.InvariantCulture))).ShouldBe(1);
    }

    [Fact]
    public async Task Messages_of_eight_processes_that_forge_one_message_id_run_each_once_under_their_business_keys()
    {
        const int Processes = 8;
        var forged = Guid.NewGuid();
        var consumers = Enumerable.Range(0, Processes).Select(_ => OnceProcess(nameof(OnceConsumer.Dies.Never))).ToList();
        await Eventually.TrueAsync(async () => await _raw.CountAsync(OnceConsumer.Queue) is not null, Deadline * 3, () => "no process has declared its queue");
        await _raw.WaitForConsumersAsync(OnceConsumer.Queue, Processes, Deadline * 3);

        // each sender has the same idea of an id, and each payment comes twice
        await Task.WhenAll(Enumerable.Range(0, 2 * Processes).Select(number => SendAsync(payment: $"{number % Processes}", messageId: forged)));

        await _raw.WaitForCountAsync(_books, 2 * Processes, Deadline * 3);
        foreach (var consumer in consumers)
        {
            consumer.StandardInput.Close();
            await consumer.WaitForExitAsync().WaitAsync(Deadline);
            consumer.Dispose();
        }

        _file.Count().ShouldBe(Processes);
        (await _raw.DrainAsync(_books)).Select(Seen).GroupBy(booked => booked).Select(same => same.Count()).ShouldBe(Enumerable.Repeat(2, Processes));
        (await _raw.CountAsync(Parked)).ShouldBe(0u);
    }

    private async Task<int> SleepsAsync(string store, Func<Task<int>> effects)
    {
        using var sleeper = OnceProcess(nameof(OnceConsumer.Dies.Never), store);
        await SendWhenThereAsync();
        (await sleeper.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(OnceConsumer.Working);
        await Signals.SuspendAsync(sleeper.Id, Deadline);

        await using (var service = await OnceConsumer.StartAsync(_uri, store))
        {
            await SendAsync();
            await _raw.WaitForCountAsync(_books, 1, Deadline);
            Signals.Send(sleeper.Id, Signals.Continue);
            await _raw.WaitForCountAsync(_books, 2, Deadline);
        }

        sleeper.StandardInput.Close();
        await sleeper.WaitForExitAsync().WaitAsync(Deadline);
        (await _raw.DrainAsync(_books)).Select(Seen).Distinct().ShouldHaveSingleItem();
        (await _raw.CountAsync(Parked)).ShouldBe(0u);
        await _raw.ShouldHaveLeftNothingBehindAsync(OnceConsumer.Queue);
        return await effects();
    }

    private static Message Seen(BasicGetResult got)
    {
        using var envelope = JsonDocument.Parse(got.Body);
        return new Message(
            got.BasicProperties.MessageId,
            got.BasicProperties.CorrelationId,
            envelope.RootElement.TryGetProperty("requestId", out var request) ? request.GetString() : null,
            envelope.RootElement.GetProperty("message").GetRawText());
    }

    private System.Diagnostics.Process OnceProcess(string dies, string? store = null) => TestProcess.Start(TestProcess.OnceConsumerRole, new Dictionary<string, string>
    {
        [OnceConsumer.BrokerVariable] = _uri.ToString(),
        [OnceConsumer.StoreVariable] = store ?? _file.ConnectionString,
        [OnceConsumer.DiesVariable] = dies,
    });

    private async Task SendWhenThereAsync()
    {
        await Eventually.TrueAsync(async () => await _raw.CountAsync(OnceConsumer.Queue) is not null, Deadline);
        await _raw.WaitForConsumersAsync(OnceConsumer.Queue, 1, Deadline);
        await SendAsync();
    }

    // each with a message id of its own: the key is the payment
    private Task SendAsync(string? replyTo = null, string amount = "12.50", string payment = "4711", Guid? messageId = null)
    {
        var id = (messageId ?? Guid.NewGuid()).ToString("D");
        var request = replyTo is null ? string.Empty : $"\"requestId\":\"{Guid.NewGuid():D}\",\"responseAddress\":\"exchange:{replyTo}\",";
        var body = $$"""{"messageId":"{{id}}",{{request}}"messageType":["{{MessageUrn.ForTypeString<OnceMessages.Charge>()}}"],"message":{"paymentId":"{{payment}}","amount":{{amount}} } }""";
        return _raw.PublishAsync(
            string.Empty,
            OnceConsumer.Queue,
            Encoding.UTF8.GetBytes(body),
            new BasicProperties { MessageId = id, ContentType = "application/vnd.masstransit+json", DeliveryMode = DeliveryModes.Persistent });
    }

    private sealed record Message(string? MessageId, string? CorrelationId, string? RequestId, string Content);
}
