using System.Collections.Concurrent;
using System.Text.Json;
using MassTransit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>What the consumers of <see cref="OnceService"/> do, and did.</summary>
public sealed class Till
{
    private int _runs;
    private int _audits;

    public required Func<ConsumeContext<Charge>, Task> Charge { get; init; }

    public Func<ConsumeContext<Charge>, Task> Audit { get; set; } = _ => Task.CompletedTask;

    public ConcurrentQueue<Seen> Booked { get; } = [];

    public int Runs => _runs;

    public int Audits => _audits;

    /// <summary>Answers with a receipt that is another one each time, and publishes a booking.</summary>
    public static async Task ChargeAsync(ConsumeContext<Charge> context)
    {
        await context.RespondAsync(new Charged(context.Message.PaymentId, $"receipt {NewId.NextGuid()}"));
        await context.Publish(new Booked(context.Message.PaymentId, $"entry {NewId.NextGuid()}"), booked => booked.CorrelationId = NewId.NextGuid());
    }

    public static Seen See(ConsumeContext context)
    {
        using var envelope = JsonDocument.Parse(context.ReceiveContext.GetBody());
        return new Seen(context.MessageId, context.CorrelationId, envelope.RootElement.GetProperty("message").GetRawText());
    }

    public Task RunAsync(ConsumeContext<Charge> context)
    {
        Interlocked.Increment(ref _runs);
        return Charge(context);
    }

    public Task AuditAsync(ConsumeContext<Charge> context)
    {
        Interlocked.Increment(ref _audits);
        return Audit(context);
    }
}

public sealed class TillConsumer(Till till) : IConsumer<Charge>
{
    public Task Consume(ConsumeContext<Charge> context) => till.RunAsync(context);
}

public sealed class AuditConsumer(Till till) : IConsumer<Charge>
{
    public Task Consume(ConsumeContext<Charge> context) => till.AuditAsync(context);
}
