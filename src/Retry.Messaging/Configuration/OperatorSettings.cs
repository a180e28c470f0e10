using System.Text.Json;

namespace Retry.Messaging.Configuration;

/// <summary>What an operator sets for a point while it runs, in the words of appsettings.</summary>
/// <remarks>Exceptions and what they mean, and settings for one type of message, stay the code's: an operator has no types.</remarks>
internal static class OperatorSettings
{
    /// <summary>Settings that belong to a kind of policy: another kind begins without them.</summary>
    public static readonly IReadOnlyList<string> OfAKind = ["First", "Factor", "Increment", "Delay", "Intervals", "Max"];

    /// <summary>The one that only operators set.</summary>
    public const string Switch = "Switch";

    /// <summary>How many retries may flow back for those that succeed.</summary>
    public const string Budget = "RetryBudget";

    /// <summary>How many retries may flow back in any case.</summary>
    public const string BudgetFloor = "RetryBudgetFloor";

    /// <summary>All that may be set.</summary>
    public static readonly IReadOnlyList<string> Known =
    [
        "Policy", .. OfAKind, "Retries", "Jitter", "ValidFor", "AttemptTimeout", "ReleasableWithin", "DeliveriesPerSecond", "DeliveryBurst",
        "Breaker", "BreakerInterval", Budget, BudgetFloor, Switch,
    ];

    /// <summary>Reads settings as strictly as appsettings.</summary>
    /// <param name="settings">The settings, by name.</param>
    /// <param name="path">What findings call them.</param>
    /// <returns>What could be read, and all that could not or is out of range.</returns>
    public static (RetryPointSettings Settings, IReadOnlyList<RetryFinding> Findings) Read(IReadOnlyDictionary<string, JsonElement> settings, string path)
    {
        var section = new DocumentSection(path, path, JsonSerializer.SerializeToElement(settings));
        var unknown = settings.Keys.Where(key => !Known.Contains(key, StringComparer.OrdinalIgnoreCase))
            .Select(key => new RetryFinding($"{path}:{key}", $"found a setting that is not known here, wanted one of {string.Join(", ", Known)}"))
            .ToList();
        if (unknown.Count > 0)
        {
            return (new RetryPointSettings(), unknown);
        }

        var reader = new SettingsSectionReader();
        RetrySwitch? on = null;
        var read = reader.ReadPoint(section, new() { [Switch] = at => on = reader.OneOf(at, Enum.GetValues<RetrySwitch>()) });
        read.Switch = on;
        return (read, [.. reader.Findings, .. RetrySettingsValidator.ValidateLayer(read, path)]);
    }

    /// <summary>Puts new settings over those that are set: each takes the place of its predecessor, and a policy of another kind that of all of its kind.</summary>
    public static IReadOnlyDictionary<string, JsonElement> Over(IReadOnlyDictionary<string, JsonElement> higher, IReadOnlyDictionary<string, JsonElement> lower)
    {
        var merged = new SortedDictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in lower.Where(setting => !IsForgotten(setting.Key)))
        {
            merged[name] = value;
        }

        foreach (var (name, value) in higher)
        {
            merged[name] = value;
        }

        return merged;

        bool IsForgotten(string name) =>
            (higher.ContainsKey("Policy") && OfAKind.Contains(name, StringComparer.OrdinalIgnoreCase))
            || (higher.ContainsKey("Intervals") && name.Equals("Retries", StringComparison.OrdinalIgnoreCase));
    }
}
