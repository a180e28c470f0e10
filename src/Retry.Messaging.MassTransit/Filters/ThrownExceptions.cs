using System.Collections.Concurrent;
using MassTransit;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>What the consumers of a delivery have thrown, as they told MassTransit.</summary>
/// <remarks>
/// The pipe does not always throw that. Where a consumer, handler, saga or activity ends with a cancellation that is not its
/// delivery's (an HttpClient's time-out is one), MassTransit throws a <see cref="ConsumerCanceledException"/> in its place, which has
/// no inner exception: no rule of a user would fit, and nobody would learn what took too long.
/// </remarks>
internal sealed class ThrownExceptions
{
    private readonly ConcurrentQueue<(string Consumer, Exception Exception)> _thrown = new();

    public void Add(string consumer, Exception exception) => _thrown.Enqueue((consumer, exception));

    /// <summary>What was thrown where the pipe threw this.</summary>
    public Exception OriginalOf(Exception exception)
    {
        if (exception is not ConsumerCanceledException { InnerException: null })
        {
            return exception;
        }

        // several consumers may have thrown; MassTransit names the one whose exception it replaced
        var replaced = _thrown.LastOrDefault(thrown => thrown.Exception is not ConsumerCanceledException && exception.Message.EndsWith(thrown.Consumer, StringComparison.Ordinal));
        return replaced.Exception ?? exception;
    }
}
