using System.Globalization;
using MassTransit;
using Retry.Messaging.Outcomes;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>What has been said about the idempotency of an endpoint's consumers.</summary>
internal sealed class IdempotencySettings
{
    public static readonly TimeSpan DefaultLease = TimeSpan.FromMinutes(1);

    private readonly Dictionary<Type, Func<object, object?>> _keys = [];
    private readonly Dictionary<Type, Func<object, object?>> _contents = [];
    private readonly Dictionary<Type, object> _asked = [];

    public TimeSpan Lease { get; set; } = DefaultLease;

    public ExpiredLease AfterExpiredLease { get; set; } = ExpiredLease.RunAgain;

    public bool IsKeyedByContent { get; set; }

    public void SetKey<T>(Func<T, object?> key)
        where T : class => _keys[typeof(T)] = message => key((T)message);

    public void SetContent<T>(Func<T, object?> content)
        where T : class => _contents[typeof(T)] = message => content((T)message);

    public void SetAsked<T>(Func<ConsumeContext<T>, Task<bool>> happened)
        where T : class => _asked[typeof(T)] = happened;

    /// <summary>Asks the target whether the effect of a message happened; <see langword="null"/> where nobody is to be asked.</summary>
    public Func<ConsumeContext<T>, Task<bool>>? Asked<T>()
        where T : class => _asked.GetValueOrDefault(typeof(T)) as Func<ConsumeContext<T>, Task<bool>>;

    /// <summary>Whether an expired lease is taken over.</summary>
    public bool TakesOver<T>()
        where T : class => AfterExpiredLease == ExpiredLease.RunAgain || _asked.ContainsKey(typeof(T));

    public string ContentHashOf<T>(ConsumeContext<T> context)
        where T : class => Of(_contents, typeof(T)) is { } content ? MessageContent.HashOf(content(context.Message)) : MessageContent.HashOf(context);

    /// <summary>The key of a message.</summary>
    /// <exception cref="RefusedException">It has none.</exception>
    public string KeyOf<T>(ConsumeContext<T> context, string contentHash)
        where T : class
    {
        if (Of(_keys, typeof(T)) is { } key)
        {
            return Text(key(context.Message)) is { Length: > 0 } text
                ? text
                : throw Without<T>("the key that KeyedBy takes from it", "Have its sender fill it in");
        }

        return context.MessageId?.ToString("D")
            ?? (IsKeyedByContent ? contentHash : throw Without<T>("message id", "Have its sender set one, or type once.KeyedBy<T>(message => ...) for a key in the message, or once.KeyedByContent()"));
    }

    /// <summary>Whether a message that is sent would be a duplicate of one with this key.</summary>
    public bool IsKeyOf<T>(SendContext<T> send, string key)
        where T : class => (Of(_keys, typeof(T)) is { } taken ? Text(taken(send.Message)) : send.MessageId?.ToString("D")) == key;

    private static RefusedException Without<T>(string missing, string nextStep) => new(
        ParkReason.Failed,
        $"Found a {TypeCache.GetShortName(typeof(T))} without {missing}, wanted one: without it an idempotent consumer cannot tell its duplicates. {nextStep}.");

    // a key for an interface is one for all messages that have it
    private static Func<object, object?>? Of(Dictionary<Type, Func<object, object?>> settings, Type type) =>
        settings.GetValueOrDefault(type) ?? settings.FirstOrDefault(setting => setting.Key.IsAssignableFrom(type)).Value;

    private static string? Text(object? key) => key is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture) : key?.ToString();
}
