using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Strategies;

/// <summary>Knows which messages of a point operators have released before they are due.</summary>
/// <remarks>Written by the reader of the control log, read at each early delivery.</remarks>
/// <param name="queue">The work queue.</param>
internal sealed class ReleasedMessages(string queue) : IControlTarget
{
    // in ticks; a date is more than can be read at once
    private long _waitsSinceBefore;

    /// <inheritdoc/>
    public string Queue => queue;

    /// <inheritdoc/>
    public string Kind => ReleaseDocument.Kind;

    /// <inheritdoc/>
    public void Apply(ControlRecord record) =>
        Volatile.Write(ref _waitsSinceBefore, ReleaseDocument.Read(record, queue).WaitsSinceBefore?.UtcTicks ?? 0);

    /// <summary>Whether a message that waits may go now.</summary>
    public bool Have(RetryState state) => state.WaitsSince?.UtcTicks <= Volatile.Read(ref _waitsSinceBefore);
}
