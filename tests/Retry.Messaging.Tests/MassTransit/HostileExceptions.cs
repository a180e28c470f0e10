using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>Exceptions that cannot be written as JSON, or must not even be looked at.</summary>
[SuppressMessage("Design", "CA1032", Justification = "They are thrown here only.")]
public static class HostileExceptions
{
    public const string Text = "what happened";

    /// <summary>By the name that a test shows.</summary>
    public static readonly IReadOnlyDictionary<string, Func<Exception>> All = new Dictionary<string, Func<Exception>>
    {
        ["200 inner exceptions"] = () => Nested(200),
        ["100,000 inner exceptions"] = () => Nested(100_000),
        ["data that is no JSON"] = () => With(typeof(string)),
        ["data in a circle"] = () => With(Circle()),
        ["data that throws"] = () => With(new Throwing(1)),
        ["data that throws as a broken connection would"] = () => With(new Unreachable(1)),
        ["members that throw"] = () => new Unreadable(),
        ["members that throw, within"] = () => new InvalidOperationException(Text, new Unreadable()),
        ["members that throw, beside others"] = () => new AggregateException(new InvalidOperationException(Text), new Unreadable()),
    };

    private static InvalidOperationException Nested(int inner)
    {
        var exception = new InvalidOperationException(inner == 0 ? Text : "the innermost");
        for (var i = 1; i <= inner; i++)
        {
            exception = new InvalidOperationException(i == inner ? Text : "within", exception);
        }

        return exception;
    }

    private static InvalidOperationException With(object data) => new(Text) { Data = { ["order"] = data } };

    private static List<object> Circle()
    {
        var circle = new List<object>();
        circle.Add(circle);
        return circle;
    }

    private sealed record Throwing(int Id)
    {
        public string Name => throw new InvalidOperationException($"the name of {Id}");
    }

    private sealed record Unreachable(int Id)
    {
        public string Name => throw new IOException($"the name of {Id}");
    }

    /// <summary>Everything that may be overridden throws, except the message: that alone is told.</summary>
    private sealed class Unreadable : Exception
    {
        public override string Message => Text;

        public override IDictionary Data => throw new TimeoutException("its Data");

        public override string? Source { get => throw new OperationCanceledException("its Source"); set => throw new OperationCanceledException("its Source"); }

        public override string? StackTrace => throw new IOException("its StackTrace");

        public override string? HelpLink { get => throw new InvalidOperationException("its HelpLink"); set => throw new InvalidOperationException("its HelpLink"); }

        public override Exception GetBaseException() => throw new InvalidOperationException("its GetBaseException");

        public override string ToString() => throw new InvalidOperationException("its ToString");

        public override bool Equals(object? obj) => throw new InvalidOperationException("its Equals");

        public override int GetHashCode() => throw new InvalidOperationException("its GetHashCode");
    }
}
