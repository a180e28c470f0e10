using Retry.Messaging.Configuration;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>What the layers of a point's settings come to.</summary>
/// <param name="Rules">The rules; <see langword="null"/> where something is wrong.</param>
/// <param name="Findings">What is wrong or doubtful.</param>
/// <param name="Origins">Each setting, and where it comes from.</param>
internal sealed record CompiledSettings(RetryRules? Rules, IReadOnlyList<RetryFinding> Findings, IReadOnlyList<SettingOrigin> Origins);
