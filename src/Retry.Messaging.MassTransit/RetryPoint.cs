using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.MassTransit;

/// <summary>A work queue together with its rules, which an operator may change while it runs.</summary>
/// <param name="queue">The work queue.</param>
/// <param name="rules">The rules that it starts with.</param>
internal sealed class RetryPoint(string queue, RetryRules rules)
{
    private volatile RetryRules _rules = rules;

    /// <summary>The work queue.</summary>
    public string Queue => queue;

    /// <summary>The messages that operators have released before they are due.</summary>
    public ReleasedMessages Released { get; } = new(queue);

    /// <summary>Has its deliveries wait while their target is ill; <see langword="null"/> on the in-memory transport.</summary>
    public CircuitGate? Gate { get; set; }

    /// <summary>The rules in force. What is decided at a failure goes by those of that moment.</summary>
    public RetryRules Rules
    {
        get => _rules;
        set => _rules = value;
    }
}
