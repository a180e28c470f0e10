namespace Retry.Messaging.RabbitMq.Control;

/// <summary>Something of a point in this process that documents of the control log change while it runs.</summary>
internal interface IControlTarget
{
    /// <summary>Gets the kind of the documents.</summary>
    string Kind { get; }

    /// <summary>Gets the work queue.</summary>
    string Queue { get; }

    /// <summary>Applies a document, or says why it cannot: then nothing changes. It does not throw.</summary>
    /// <param name="record">The record of the control log.</param>
    void Apply(ControlRecord record);
}
