using System.Text;
using System.Text.Json;
using MassTransit;
using MassTransit.Configuration;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Tests.MassTransit;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>Messages that no consumer can take.</summary>
[Collection(SharedBroker.Name)]
public sealed class BadAppleTests(BrokerFixture broker)
{
    private const string Type = "application/vnd.masstransit+json";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly string Urn = MessageUrn.ForTypeString<Job>();

    public static TheoryData<string, byte[]> Unreadable => new()
    {
        { Type, "this is not JSON"u8.ToArray() },
        { Type, [] },
        { Type, [0xFF, 0xFE, 0x00, 0xC3, 0x28] },
        { "text/plain", "hello"u8.ToArray() },
        { "no content type; at = all", "hello"u8.ToArray() },
        { Type, Encoding.UTF8.GetBytes($$"""{"messageType":["{{Urn}}"],"message":{"number":"not a number"} }""") },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task What_cannot_be_read_is_parked_as_malformed_with_its_bytes_and_one_fault(string contentType, byte[] body)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        var runs = 0;
        await using var service = await StartAsync(uri, _ =>
        {
            runs++;
            return Task.CompletedTask;
        });
        var id = Guid.NewGuid().ToString();

        await raw.PublishAsync("apples", string.Empty, body, new BasicProperties { ContentType = contentType, MessageId = id, Headers = new Dictionary<string, object?> { ["mine"] = 7 } });

        await raw.WaitForCountAsync("apples.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        var parked = (await raw.DrainAsync("apples.parked")).ShouldHaveSingleItem();
        parked.Body.ToArray().ShouldBe(body);
        parked.Reason().ShouldBe("Malformed");
        parked.Header("retry-id").ShouldStartWith(id + "-");
        parked.Header("retry-origin").ShouldBe("apples");
        parked.Header("retry-history")!.Split('\n').Length.ShouldBe(1);
        parked.Header("MT-Fault-ExceptionType").ShouldNotBeNull();
        parked.BasicProperties.ContentType.ShouldBe(contentType);
        parked.BasicProperties.Headers!["mine"].ShouldBe(7);
        var fault = (await raw.DrainAsync(faults)).ShouldHaveSingleItem();
        Guid.Parse(fault.BasicProperties.MessageId!).ToByteArray(bigEndian: true)[6].ShouldBeInRange((byte)0x80, (byte)0x8F, "derived from the parked id, not drawn");
        runs.ShouldBe(0);
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    /// <summary>MassTransit reads an envelope's ids and addresses when somebody asks: a consumer that does cannot do better at the next attempt, another can.</summary>
    [Theory]
    [InlineData("messageId", "not-a-guid", true, "Malformed", 1)]
    [InlineData("messageId", "not-a-guid", false, "Exhausted", 3)]
    [InlineData("responseAddress", "no address", false, "Exhausted", 3)]
    public async Task An_envelope_with_an_id_that_cannot_be_read_still_ends_with_one_fault(string name, string value, bool asks, string reason, int attempts)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        var runs = 0;
        await using var service = await StartAsync(uri, context =>
        {
            runs++;
            throw new InvalidOperationException($"not now{(asks ? context.MessageId : null)}");
        });
        var body = Encoding.UTF8.GetBytes($$"""{"{{name}}":"{{value}}","messageType":["{{Urn}}"],"message":{"number":1} }""");

        await raw.PublishAsync("apples", string.Empty, body, new BasicProperties { ContentType = Type });

        await raw.WaitForCountAsync("apples.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        var parked = (await raw.DrainAsync("apples.parked")).ShouldHaveSingleItem();
        parked.Body.ToArray().ShouldBe(body);
        parked.Reason().ShouldBe(reason);
        runs.ShouldBe(attempts);
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    [Fact]
    public async Task What_nobody_consumes_is_parked_as_unhandled_without_a_fault()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        await using var service = await StartAsync(uri, _ => Task.CompletedTask);
        var body = """{"messageType":["urn:message:Elsewhere:Stranger"],"message":{"number":1} }"""u8.ToArray();

        for (var i = 0; i < 20; i++)
        {
            await raw.PublishAsync("apples", string.Empty, body, new BasicProperties { ContentType = Type });
        }

        await raw.WaitForCountAsync("apples.parked", 20, Deadline);
        await service.StopAsync();
        foreach (var parked in await raw.DrainAsync("apples.parked"))
        {
            parked.Body.ToArray().ShouldBe(body);
            parked.Reason().ShouldBe("Unhandled");
            parked.Header("MT-Reason").ShouldBe("dead-letter");
        }

        (await raw.CountAsync(faults)).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    [Fact]
    public async Task Who_says_what_becomes_of_them_is_listened_to()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        await using var service = await StartAsync(uri, _ => Task.CompletedTask, e =>
        {
            e.DiscardSkippedMessages();
            e.DiscardFaultedMessages();
        });

        await raw.PublishAsync("apples", string.Empty, """{"messageType":["urn:message:Elsewhere:Stranger"],"message":{} }"""u8.ToArray(), new BasicProperties { ContentType = Type });
        await raw.PublishAsync("apples", string.Empty, "no JSON"u8.ToArray(), new BasicProperties { ContentType = Type });

        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        (await raw.CountAsync("apples.parked")).ShouldBe(0u);
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    [Theory]
    [InlineData("200 inner exceptions")]
    [InlineData("data that throws as a broken connection would")]
    [InlineData("members that throw")]
    public async Task An_exception_that_cannot_be_serialized_is_parked_with_a_fault_of_type_and_message(string name)
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Job>());
        await using var service = await StartAsync(uri, _ => throw HostileExceptions.All[name]());

        await raw.PublishAsync("apples", string.Empty, Encoding.UTF8.GetBytes($$"""{"messageType":["{{Urn}}"],"message":{"number":1} }"""), new BasicProperties { ContentType = Type });

        await raw.WaitForCountAsync("apples.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        var parked = (await raw.DrainAsync("apples.parked")).ShouldHaveSingleItem();
        parked.Reason().ShouldBe("Exhausted");
        parked.Header("MT-Fault-Message").ShouldNotBeNull();
        var fault = JsonDocument.Parse((await raw.DrainAsync(faults)).ShouldHaveSingleItem().Body).RootElement.GetProperty("message");
        fault.GetProperty("exceptions")[0].GetProperty("message").GetString().ShouldBe(HostileExceptions.Text);
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    [Fact]
    public async Task What_fails_in_front_of_the_retry_filter_is_decided_on_by_the_same_rules()
    {
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.ExchangeOf<ReceiveFault>());
        var outside = new FailingFilter();
        await using var service = await StartAsync(uri, _ => Task.CompletedTask, e => e.AddPrePipeSpecification(outside));

        await raw.PublishAsync("apples", string.Empty, Encoding.UTF8.GetBytes($$"""{"messageType":["{{Urn}}"],"message":{"number":1} }"""), new BasicProperties { ContentType = Type, MessageId = Guid.NewGuid().ToString() });

        await raw.WaitForCountAsync("apples.parked", 1, Deadline);
        await raw.WaitForCountAsync(faults, 1, Deadline);
        await service.StopAsync();
        outside.Runs.ShouldBe(3);
        (await raw.DrainAsync("apples.parked")).ShouldHaveSingleItem().Reason().ShouldBe("Exhausted");
        await raw.ShouldHaveLeftNothingBehindAsync("apples");
    }

    private static Task<RetryService> StartAsync(Uri uri, MessageHandler<Job> handler, Action<IReceiveEndpointConfigurator>? configure = null) =>
        RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("apples", e =>
        {
            configure?.Invoke(e);
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(2));
            e.Handler(handler);
        }));

    public sealed record Job(int Number);

    private sealed class FailingFilter : IPipeSpecification<ConsumeContext>, IFilter<ConsumeContext>
    {
        private int _runs;

        public int Runs => _runs;

        public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(this);

        public IEnumerable<ValidationResult> Validate() => [];

        public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
        {
            Interlocked.Increment(ref _runs);
            throw new InvalidOperationException("a filter of the user's, in front");
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
