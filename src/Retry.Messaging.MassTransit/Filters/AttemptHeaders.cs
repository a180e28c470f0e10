using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MassTransit;

namespace Retry.Messaging.MassTransit.Filters;

/// <summary>The message's headers, with MassTransit's own redelivery count kept true.</summary>
/// <remarks>In MassTransit's envelope the headers are a part of the body, which is never changed.</remarks>
internal sealed class AttemptHeaders(global::MassTransit.Headers original, int attempt) : global::MassTransit.Headers
{
    private readonly int _redeliveries = attempt - 1;

    public IEnumerable<KeyValuePair<string, object>> GetAll()
    {
        foreach (var header in original.GetAll())
        {
            if (!IsCount(header.Key))
            {
                yield return header;
            }
        }

        if (_redeliveries > 0)
        {
            yield return new KeyValuePair<string, object>(MessageHeaders.RedeliveryCount, _redeliveries);
        }
    }

    public bool TryGetHeader(string key, [NotNullWhen(true)] out object? value)
    {
        if (!IsCount(key))
        {
            return original.TryGetHeader(key, out value);
        }

        value = _redeliveries > 0 ? _redeliveries : null;
        return value is not null;
    }

    public T? Get<T>(string key, T? defaultValue = null)
        where T : class =>
        IsCount(key)
            ? _redeliveries > 0 && _redeliveries.ToString(CultureInfo.InvariantCulture) is T text ? text : defaultValue
            : original.Get(key, defaultValue);

    public T? Get<T>(string key, T? defaultValue = null)
        where T : struct =>
        IsCount(key)
            ? _redeliveries > 0 ? (T)Convert.ChangeType(_redeliveries, typeof(T), CultureInfo.InvariantCulture) : defaultValue
            : original.Get(key, defaultValue);

    public IEnumerator<HeaderValue> GetEnumerator() => GetAll().Select(header => new HeaderValue(header.Key, header.Value)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsCount(string key) => MessageHeaders.RedeliveryCount.Equals(key, StringComparison.OrdinalIgnoreCase);
}
