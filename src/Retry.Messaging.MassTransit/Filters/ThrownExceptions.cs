using MassTransit;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>What the consumers of a delivery have thrown, as they told MassTransit.</summary>
/// <remarks>
/// The pipe does not always throw that. Where a consumer, handler, saga or activity ends with a cancellation that is not its
/// delivery's (an HttpClient's time-out is one), MassTransit throws a <see cref="ConsumerCanceledException"/> in its place, which has
/// no inner exception: no rule of a user would fit, and the log would not say what took too long.
/// With tracing on, MassTransit reads the exception before it throws it on. A member of it that throws then takes its place.
/// </remarks>
internal sealed class ThrownExceptions
{
    private Thrown? _last;

    /// <summary>Several consumers of a delivery may throw at a time.</summary>
    public void Add(string consumer, Exception exception)
    {
        Thrown? before;
        do
        {
            before = _last;
        }
        while (Interlocked.CompareExchange(ref _last, new Thrown(consumer, exception, before), before) != before);
    }

    /// <summary>What was thrown last.</summary>
    public Exception Latest => _last!.Exception;

    /// <summary>What was thrown where the pipe threw this.</summary>
    public Exception OriginalOf(Exception exception)
    {
        // MassTransit names the consumer whose exception it replaced
        var replaced = exception is ConsumerCanceledException { InnerException: null }
            ? Last(thrown => thrown.Exception is not ConsumerCanceledException && exception.Message.EndsWith(thrown.Consumer, StringComparison.Ordinal))
            : Last(thrown => ReferenceEquals(thrown.Exception, exception)) ?? Last(thrown => IsWhatReadingThrows(thrown.Exception, exception));
        return replaced?.Exception ?? exception;
    }

    private Thrown? Last(Func<Thrown, bool> isMeant)
    {
        var thrown = _last;
        while (thrown is not null && !isMeant(thrown))
        {
            thrown = thrown.Before;
        }

        return thrown;
    }

    private static bool IsWhatReadingThrows(Exception read, Exception found)
    {
        return Throws(() => read.GetBaseException()) || Throws(() => Innermost(read).Message) || Throws(() => Innermost(read).StackTrace);

        bool Throws(Func<object?> member)
        {
            try
            {
                member();
                return false;
            }
#pragma warning disable CA1031 // a user's property may throw anything
            catch (Exception thrown)
            {
                return thrown.GetType() == found.GetType() && HeaderText.Message(thrown) == HeaderText.Message(found);
            }
#pragma warning restore CA1031
        }
    }

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }

    private sealed record Thrown(string Consumer, Exception Exception, Thrown? Before);
}
