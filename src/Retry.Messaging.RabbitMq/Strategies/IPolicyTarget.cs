using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Strategies;

/// <summary>A point in this process that operators may give another policy while it runs.</summary>
internal interface IPolicyTarget
{
    /// <summary>Gets the work queue.</summary>
    string Queue { get; }

    /// <summary>Applies what an operator has set, or says why it cannot: then nothing changes. It does not throw.</summary>
    /// <param name="record">The record of the control log.</param>
    void Apply(ControlRecord record);
}
