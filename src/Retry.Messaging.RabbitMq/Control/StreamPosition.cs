namespace Retry.Messaging.RabbitMq.Control;

/// <summary>How far a stream has been read, and the callers that wait for it to be read further.</summary>
internal sealed class StreamPosition
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _reached;
    private long _wanted;
    private long _offset = -1;

    /// <summary>Gets why the stream is not read any further, or <see langword="null"/>.</summary>
    public string? Failure { get; private set; }

    /// <summary>Gets a task that ends when the stream can no longer be read.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Notes that a record has been handled.</summary>
    public void At(long offset)
    {
        lock (_lock)
        {
            _offset = offset;
            if (offset >= _wanted)
            {
                _reached?.TrySetResult();
            }
        }
    }

    /// <summary>Notes that no more records come.</summary>
    public void Fail(string reason)
    {
        Failure = reason;
        _failed.TrySetResult();
    }

    /// <summary>Waits until the record at an offset has been handled.</summary>
    /// <exception cref="ControlException">No more records come.</exception>
    public async Task ReachedAsync(long offset, CancellationToken cancellationToken)
    {
        TaskCompletionSource reached;
        lock (_lock)
        {
            if (_offset >= offset)
            {
                return;
            }

            _wanted = offset;
            reached = _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await Task.WhenAny(reached.Task, _failed.Task).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!reached.Task.IsCompleted)
        {
            throw new ControlException(Failure!);
        }
    }
}
