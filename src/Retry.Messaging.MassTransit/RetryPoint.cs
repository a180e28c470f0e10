using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit;

/// <summary>A work queue together with its rules.</summary>
internal sealed record RetryPoint(string Queue, RetryRules Rules);
