using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Control;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A limiter's connection to queues and streams in memory, by which everything leaves at the moment that it may.</summary>
internal sealed class LimiterConnectionInMemory(QueueBroker broker, TimeProvider time) : ILimiterConnection
{
    /// <summary>Gets the stream of the settings.</summary>
    public StreamInMemory Control { get; } = new(ControlLog.Retention);

    /// <summary>Gets the stream of what limiters say of themselves.</summary>
    public StreamInMemory Said { get; } = new(Announcements.Retention);

    /// <summary>Gets when what was published left, in timestamps of the clock.</summary>
    public List<long> Left { get; } = [];

    public PassiveLook Look { get; } = new(broker.Connection);

    public WakeUp WakeUp { get; } = new(time);

    public string? Ended { get; private set; }

    public CancellationToken Over => CancellationToken.None;

    public string? Blocked { get; set; }

    public Task<IChannel> OpenChannelAsync(HoldTime hold, CancellationToken cancellationToken) => broker.Connection.CreateChannelAsync(cancellationToken: cancellationToken);

    public IRecordStream OpenStream(string name, StreamRetention retention) => (name == BrokerNames.ControlStream ? Control : Said).Open();

    public Task<long> ExpectAsync(IChannel channel, long notBefore)
    {
        Left.Add(Math.Max(notBefore, time.GetTimestamp()));
        return Task.FromResult(Left[^1]);
    }

    public Task EndAsync(string reason)
    {
        Ended = reason;
        WakeUp.Set();
        return Task.CompletedTask;
    }
}
