using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MassTransit;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>A message's headers as a consumer sees them: MassTransit's own redelivery count is kept true, and what the ladder put in the
/// place of something else is as it was.</summary>
/// <remarks>In MassTransit's envelope the headers are a part of the body, which is never changed.</remarks>
internal sealed class AttemptHeaders(Headers original, RetryDelivery delivery) : Headers
{
    private readonly int _redeliveries = delivery.State.Attempt - 1;

    public IEnumerable<KeyValuePair<string, object>> GetAll()
    {
        foreach (var header in original.GetAll())
        {
            if (IsCount(header.Key))
            {
                continue;
            }

            if (!IsRestored(header.Key, out var restored))
            {
                yield return header;
            }
            else if (restored.Length > 0)
            {
                yield return new KeyValuePair<string, object>(header.Key, restored);
            }
        }

        if (_redeliveries > 0)
        {
            yield return new KeyValuePair<string, object>(MessageHeaders.RedeliveryCount, _redeliveries);
        }
    }

    public bool TryGetHeader(string key, [NotNullWhen(true)] out object? value)
    {
        if (IsCount(key))
        {
            value = _redeliveries > 0 ? _redeliveries : null;
            return value is not null;
        }

        var found = original.TryGetHeader(key, out value);
        if (found && IsRestored(key, out var restored))
        {
            value = restored;
        }

        return found;
    }

    public T? Get<T>(string key, T? defaultValue = null)
        where T : class =>
        IsCount(key) ? _redeliveries > 0 && _redeliveries.ToString(CultureInfo.InvariantCulture) is T count ? count : defaultValue
        : IsRestored(key, out var restored) && original.TryGetHeader(key, out _) ? restored as T ?? defaultValue
        : original.Get(key, defaultValue);

    public T? Get<T>(string key, T? defaultValue = null)
        where T : struct =>
        IsCount(key)
            ? _redeliveries > 0 ? (T)Convert.ChangeType(_redeliveries, typeof(T), CultureInfo.InvariantCulture) : defaultValue
            : original.Get(key, defaultValue);

    public IEnumerator<HeaderValue> GetEnumerator() => GetAll().Select(header => new HeaderValue(header.Key, header.Value)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsCount(string key) => MessageHeaders.RedeliveryCount.Equals(key, StringComparison.OrdinalIgnoreCase);

    private bool IsRestored(string key, [NotNullWhen(true)] out string? value)
    {
        value = null;
        return delivery.Restored?.TryGetValue(key, out value) == true;
    }
}
