using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Control;

/// <summary>A stream on the broker: records in one order for all readers, read from the first on, then live.</summary>
/// <remarks>It knows nothing of what the records say. Behind it a test puts a stream in memory.</remarks>
internal interface IRecordStream : IAsyncDisposable
{
    /// <summary>Gets the name of the stream.</summary>
    string Name { get; }

    /// <summary>Declares the stream; nothing happens where it is there.</summary>
    /// <exception cref="ControlException">The broker refuses it.</exception>
    Task DeclareAsync(CancellationToken cancellationToken);

    /// <summary>Starts to read from the first record.</summary>
    /// <param name="read">Told each record, in order, one at a time.</param>
    /// <param name="failed">Told once why no more records come; not when the reader itself ends.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Whether there is a stream; where there is none, nothing is read.</returns>
    /// <exception cref="ControlException">The broker refuses it.</exception>
    Task<bool> FollowAsync(Action<StreamRecord> read, Action<string> failed, CancellationToken cancellationToken);

    /// <summary>Finds the last record that is there now, without writing one.</summary>
    /// <returns>Its offset, or <see langword="null"/> when the stream holds none.</returns>
    Task<long?> FindEndAsync(CancellationToken cancellationToken);

    /// <summary>Appends a record; returns when the broker has it.</summary>
    /// <exception cref="ControlException">The broker refuses it.</exception>
    Task AppendAsync(BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken);
}
