using System.Text.Json;
using MassTransit;
using MassTransit.Events;
using MassTransit.Serialization;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>What a Fault tells of the exception that it is about.</summary>
/// <remarks>
/// As much as MassTransit tells, where that can be written. An exception is a user's code: its members may throw, what it holds may be
/// no JSON, and its inner exceptions may be too many for any reader. Then the Fault has its type and its message only.
/// </remarks>
internal static class FaultExceptions
{
    // JSON ends at 64 levels, and these stand inside the Fault, which stands inside its envelope
    private const int MaxLevels = 56;

    private static readonly JsonSerializerOptions Options = new(SystemTextJsonMessageSerializer.Options) { MaxDepth = MaxLevels };

    /// <summary>The exception; the members of an <see cref="AggregateException"/> instead of itself, as MassTransit has it.</summary>
    public static ExceptionInfo[] Of(Exception exception)
    {
        Exception[] exceptions = exception is AggregateException { InnerExceptions: { Count: > 0 } members } ? [.. members] : [exception];
        return InFull(exceptions) ?? [.. exceptions.Select(InBrief)];
    }

    private static ExceptionInfo[]? InFull(Exception[] exceptions)
    {
        // MassTransit reads inner exceptions by recursion, and no catch helps against a stack that is full
        if (exceptions.Any(IsDeep))
        {
            return null;
        }

        try
        {
            ExceptionInfo[] told = [.. exceptions.Select(exception => new FaultExceptionInfo(exception))];
            JsonSerializer.Serialize(Stream.Null, told, Options);
            return told;
        }
#pragma warning disable CA1031 // whatever a user's exception throws: it only means that less is told
        catch (Exception)
        {
            return null;
        }
#pragma warning restore CA1031
    }

    private static bool IsDeep(Exception exception)
    {
        var levels = 0;
        for (var inner = exception; inner is not null && levels <= MaxLevels; inner = inner.InnerException)
        {
            levels++;
        }

        return levels > MaxLevels;
    }

    private static FaultExceptionInfo InBrief(Exception exception) => new()
    {
        ExceptionType = TypeCache.GetShortName(exception.GetType()),
        Message = HeaderText.Message(exception),
        StackTrace = string.Empty,
        Source = string.Empty,
    };
}
