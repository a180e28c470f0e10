using System.Globalization;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>What holds for a queue once its arguments and the policies on it are put together, as RabbitMQ does.</summary>
internal static class EffectiveSettings
{
    /// <summary>A setting where an argument wins over a policy: dead-lettering, strategy, overflow.</summary>
    public static string? Text(QueueFact queue, string key) =>
        (queue.Arguments.TryGetValue(PolicyKeys.Argument(key), out var argument) ? argument : queue.EffectivePolicy.GetValueOrDefault(key))?.ToString();

    /// <summary>A limit, where the lower of argument and policy wins; <see langword="null"/> for none.</summary>
    public static long? Limit(QueueFact queue, string key) =>
        (Number(queue.Arguments.GetValueOrDefault(PolicyKeys.Argument(key))), Number(queue.EffectivePolicy.GetValueOrDefault(key))) switch
        {
            (null, var policy) => policy,
            (var argument, null) => argument,
            ({ } argument, { } policy) => Math.Min(argument, policy),
        };

    /// <summary>Whether the queue holds only so much.</summary>
    public static bool HasLengthLimit(QueueFact queue) =>
        (Limit(queue, PolicyKeys.MaxLength) ?? Limit(queue, PolicyKeys.MaxLengthBytes)) is not null;

    /// <summary>What a policy and an operator policy set together: the lower number, otherwise the operator's word.</summary>
    public static IReadOnlyDictionary<string, object?> Merge(IReadOnlyDictionary<string, object?>? policy, IReadOnlyDictionary<string, object?>? operators)
    {
        var merged = new Dictionary<string, object?>(policy ?? new Dictionary<string, object?>());
        foreach (var (key, value) in operators ?? new Dictionary<string, object?>())
        {
            var isLower = Number(merged.GetValueOrDefault(key)) is { } theirs && Number(value) is { } ours && theirs < ours;
            merged[key] = isLower ? merged[key] : value;
        }

        return merged;
    }

    /// <summary>A whole number, however the broker wrote it; <see langword="null"/> for none.</summary>
    public static long? Number(object? value) => value switch
    {
        long number => number,
        int number => number,
        sbyte or byte or short or ushort or uint => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        string text when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}
