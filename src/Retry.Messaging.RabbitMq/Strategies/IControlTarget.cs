using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Strategies;

/// <summary>Something of a point in this process that operators may set while it runs.</summary>
internal interface IControlTarget
{
    /// <summary>Gets the work queue.</summary>
    string Queue { get; }

    /// <summary>Gets the kind of documents that it follows.</summary>
    string Kind { get; }

    /// <summary>Applies what an operator has set, or says why it cannot: then nothing changes. It does not throw.</summary>
    /// <param name="record">The record of the control log.</param>
    void Apply(ControlRecord record);
}
