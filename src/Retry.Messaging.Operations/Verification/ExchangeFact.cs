namespace Retry.Messaging.Operations.Verification;

/// <summary>An exchange as it is.</summary>
internal sealed record ExchangeFact(string Name, string Type)
{
    public bool Durable { get; init; } = true;

    public bool AutoDelete { get; init; }

    public bool Internal { get; init; }

    public IReadOnlyDictionary<string, object?> Arguments { get; init; } = new Dictionary<string, object?>();
}
