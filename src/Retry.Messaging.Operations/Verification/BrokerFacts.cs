using Retry.Messaging.RabbitMq.Management;

namespace Retry.Messaging.Operations.Verification;

/// <summary>What a broker has in one virtual host, as the management API tells it. Only facts; what they mean is decided elsewhere.</summary>
internal sealed record BrokerFacts
{
    /// <summary>RabbitMQ's version, for example <c>4.0.5</c>.</summary>
    public required string Version { get; init; }

    public required IReadOnlyList<ExchangeFact> Exchanges { get; init; }

    public required IReadOnlyList<QueueFact> Queues { get; init; }

    public required IReadOnlyList<BindingFact> Bindings { get; init; }

    /// <summary>The policies of the virtual host; <see langword="null"/> where the user may not see them.</summary>
    public IReadOnlyList<PolicyFact>? Policies { get; init; }

    /// <summary>The names of the cluster's nodes; <see langword="null"/> where the user may not see them.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>Those of them that do not run.</summary>
    public IReadOnlyList<string> StoppedNodes { get; init; } = [];

    /// <summary>Those of them that read no Erlang configuration file, the only kind that can hold the dead-letter worker's settings.</summary>
    public IReadOnlyList<string> NodesWithoutAdvancedConfig { get; init; } = [];

    /// <summary>Feature flags and whether each is enabled; <see langword="null"/> where the user may not see them.</summary>
    public IReadOnlyDictionary<string, bool>? FeatureFlags { get; init; }

    /// <summary>What could not be read.</summary>
    public IReadOnlyList<NotChecked> NotChecked { get; init; } = [];

    /// <summary>The version's first number.</summary>
    public int MajorVersion => int.TryParse(Version.Split('.')[0], out var major) ? major : 0;
}
