using System.Globalization;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Tells for each setting of a point what holds, and which layer says so. Pure.</summary>
internal static class SettingOrigins
{
    /// <summary>The name of the setting that has messages come by before they are due.</summary>
    public const string ReleasableWithin = "ReleasableWithin";

    /// <summary>What stands for no value.</summary>
    public const string None = "none";

    private static readonly (string Name, Func<RetryPointSettings, object?> Said, Func<RetryPointSettings, string?> Value)[] Settings =
    [
        ("Policy", layer => layer.Policy.Kind, merged => merged.Policy.EffectiveKind.ToString()),
        ("First", layer => layer.Policy.First, merged => Grows(merged) ? Text(merged.Policy.EffectiveFirst) : null),
        ("Factor", layer => layer.Policy.Factor, merged => Is(merged, PolicyKind.Exponential) ? Text(merged.Policy.Factor ?? RetryDefaults.Factor) : null),
        ("Increment", layer => layer.Policy.Increment, merged => Is(merged, PolicyKind.Linear) ? Text(merged.Policy.Increment ?? RetryDefaults.Increment) : null),
        ("Delay", layer => layer.Policy.Delay, merged => Is(merged, PolicyKind.Fixed) ? Text(merged.Policy.Delay ?? RetryDefaults.Delay) : null),
        ("Intervals", layer => layer.Policy.Intervals, merged => Is(merged, PolicyKind.Intervals) ? Text(merged.Policy.Intervals) : null),
        ("Max", layer => layer.Policy.Max, merged => Grows(merged) ? Text(merged.Policy.EffectiveMax) : null),
        ("Retries", SaidRetries, merged => merged.Policy.EffectiveRetries?.ToString(CultureInfo.InvariantCulture) ?? RetryCount.UntilExpiredText),
        ("Jitter", layer => layer.Policy.Jitter, merged => merged.Policy.EffectiveJitter.ToString()),
        ("ValidFor", layer => layer.ValidFor, merged => Text(merged.ValidFor ?? RetryDefaults.ValidFor)),
        ("AttemptTimeout", layer => layer.AttemptTimeout, merged => merged.AttemptTimeout is { } timeout ? Text(timeout) : None),
        (ReleasableWithin, layer => layer.ReleasableWithin, merged => merged.ReleasableWithin is { } within ? Text(within) : None),
        (OperatorSettings.Switch, layer => layer.Switch, merged => (merged.Switch ?? RetrySwitch.On).ToString()),
        ("DeliveriesPerSecond", layer => layer.DeliveriesPerSecond, merged => merged.DeliveriesPerSecond is { } rate ? Text(rate) : None),
        (
            "DeliveryBurst",
            layer => layer.DeliveryBurst,
            merged => merged.DeliveriesPerSecond is null ? null : Text(merged.DeliveryBurst ?? RetryDefaults.Burst)),
        (OperatorSettings.Budget, layer => layer.BudgetShare, merged => merged.BudgetShare is { } share ? Text(share) : None),
        (
            OperatorSettings.BudgetFloor,
            layer => layer.BudgetFloor,
            merged => merged.BudgetShare is null ? null : Text(merged.BudgetFloor ?? RetryDefaults.BudgetFloor)),
        ("Breaker", layer => layer.Breaker, merged => merged.Breaker == true ? "on" : "off"),
        (
            "BreakerInterval",
            layer => layer.BreakerInterval,
            merged => merged.Breaker == true ? Text(merged.BreakerInterval ?? RetryDefaults.BreakerInterval) : null),
    ];

    /// <summary>Tells it.</summary>
    /// <param name="layers">The layers by name, highest first.</param>
    public static IReadOnlyList<SettingOrigin> Of(IReadOnlyList<(string Name, RetryPointSettings Settings)> layers)
    {
        var merged = RetryPointSettings.Merge(layers.Select(layer => layer.Settings));
        var kind = layers.TakeWhile(layer => layer.Settings.Policy.Kind is null).Count();
        return
        [
            .. from setting in Settings
               let value = setting.Value(merged)
               where value is not null
               // what a kind of policy has beside it is not looked for below the layer that names the kind
               let named = layers.Take(OperatorSettings.OfAKind.Contains(setting.Name) ? kind + 1 : layers.Count)
                   .FirstOrDefault(layer => setting.Said(layer.Settings) is not null).Name
               select new SettingOrigin(setting.Name, value, named ?? SettingOrigin.Default),
        ];
    }

    private static object? SaidRetries(RetryPointSettings layer) =>
        layer.Policy.Retries ?? (object?)layer.Policy.ImmediateRetries ?? layer.Policy.Intervals;

    private static bool Is(RetryPointSettings merged, PolicyKind kind) => merged.Policy.EffectiveKind == kind;

    private static bool Grows(RetryPointSettings merged) => Is(merged, PolicyKind.Exponential) || Is(merged, PolicyKind.Linear);

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan duration) => DurationText.Format(duration);

    private static string Text(IEnumerable<TimeSpan>? intervals) => string.Join(' ', (intervals ?? []).Select(DurationText.Format));
}
