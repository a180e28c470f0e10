using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>What operators have set, as JSON shows it.</summary>
internal sealed record PolicySetDocument(long Version, IReadOnlyDictionary<string, string> Settings, string? By, DateTimeOffset? At, string? Why)
{
    public static PolicySetDocument Of(PolicyDocument document) => new(
        document.Version,
        document.Settings.ToDictionary(setting => setting.Key, setting => PolicyAnswer.Text(setting.Value), StringComparer.Ordinal),
        document.By,
        document.At,
        document.Why);
}
