using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Tests.Fakes;

/// <summary>A line by which everything leaves at once.</summary>
internal sealed class StillLine(TimeProvider time) : IReleaseLine
{
    public string? Ended => null;

    public CancellationToken Over => CancellationToken.None;

    public string? Blocked { get; set; }

    public Task<long> ExpectAsync(IChannel channel, long notBefore) => Task.FromResult(time.GetTimestamp());
}
