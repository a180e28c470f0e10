using System.Globalization;
using System.Text;

namespace Retry.Messaging.Configuration;

/// <summary>Checks settings, from code and from appsettings alike, and reports everything at once.</summary>
internal static class RetrySettingsValidator
{
    /// <summary>Checks what one layer says by itself, so that a finding names the layer.</summary>
    internal static IReadOnlyList<RetryFinding> ValidateLayer(RetryPointSettings layer, string path) =>
        [.. Validate(layer, path, isMerged: false)];

    /// <summary>Checks merged settings: each value, and what they mean together with the defaults.</summary>
    internal static IReadOnlyList<RetryFinding> Validate(RetryPointSettings merged, string path) =>
        [.. Validate(merged, path, isMerged: true)];

    private static IEnumerable<RetryFinding> Validate(RetryPointSettings settings, string path, bool isMerged)
    {
        foreach (var finding in PolicySettingsValidator.Validate(settings.Policy, path, isMerged)
            .Concat(isMerged ? PolicySettingsValidator.ValidateSum(settings.Policy, settings.ValidFor, path) : [])
            .Concat(ValidateTimes(settings, path))
            .Concat(ValidateLimits(settings, path, isMerged)))
        {
            yield return finding;
        }

        if (settings.Tenant is { } tenant && (string.IsNullOrWhiteSpace(tenant) || Encoding.UTF8.GetByteCount(tenant) > SettingRange.LongestHeaderName))
        {
            yield return new($"{path}:Tenant", $"found '{tenant}', wanted the name of a header, 1 to {SettingRange.LongestHeaderName} bytes");
        }

        foreach (var (type, policy) in settings.ExceptionPolicies)
        {
            foreach (var finding in PolicySettingsValidator.Validate(policy, $"{path}:For<{type.Name}>", isMerged: false))
            {
                yield return finding;
            }
        }

        foreach (var (type, message) in settings.Messages)
        {
            foreach (var finding in Validate(message, $"{path}:ForMessage<{type.Name}>", isMerged: false))
            {
                yield return finding;
            }
        }

        // What is merged from the point was blamed there: of exceptions and messages only the whole is looked at.
        foreach (var finding in isMerged ? ValidateInner(settings, path) : [])
        {
            yield return finding;
        }
    }

    private static IEnumerable<RetryFinding> ValidateInner(RetryPointSettings merged, string path)
    {
        foreach (var (type, policy) in merged.MergedExceptionPolicies())
        {
            foreach (var finding in PolicySettingsValidator.ValidateWhole(policy, merged.ValidFor, $"{path}:For<{type.Name}>"))
            {
                yield return finding;
            }
        }

        foreach (var (type, message) in merged.MergedMessages())
        {
            var at = $"{path}:ForMessage<{type.Name}>";
            foreach (var finding in PolicySettingsValidator.ValidateWhole(message.Policy, message.ValidFor, at)
                .Concat(message.MergedExceptionPolicies().SelectMany(policy => PolicySettingsValidator.ValidateWhole(policy.Policy, message.ValidFor, $"{at}:For<{policy.ExceptionType.Name}>"))))
            {
                yield return finding;
            }
        }
    }

    private static IEnumerable<RetryFinding> ValidateTimes(RetryPointSettings settings, string path)
    {
        if (settings.ValidFor is { } validFor && (validFor <= TimeSpan.Zero || validFor > SettingRange.LongestValidity))
        {
            yield return new(
                $"{path}:ValidFor",
                $"found {Text(validFor)}, wanted more than 0s and at most {Text(SettingRange.LongestValidity)}; for no retries at all say 0 retries");
        }

        if (settings.AttemptTimeout is { } timeout && (timeout <= TimeSpan.Zero || timeout > SettingRange.LongestAttempt))
        {
            yield return new(
                $"{path}:AttemptTimeout",
                $"found {Text(timeout)}, wanted more than 0s and at most {Text(SettingRange.LongestAttempt)}; for no limit leave it away");
        }

        if (settings.ReleasableWithin is { } within && (within < SettingRange.ShortestVisit || within > SettingRange.LongestVisit))
        {
            yield return new(
                $"{path}:ReleasableWithin",
                $"found {Text(within)}, wanted {Text(SettingRange.ShortestVisit)} to {Text(SettingRange.LongestVisit)}; to have messages come only when they are due leave it away");
        }

        if (settings.BreakerInterval is { } interval && (interval < SettingRange.ShortestProbeInterval || interval > SettingRange.LongestProbeInterval))
        {
            yield return new(
                $"{path}:BreakerInterval",
                $"found {Text(interval)}, wanted {Text(SettingRange.ShortestProbeInterval)} to {Text(SettingRange.LongestProbeInterval)}");
        }
    }

    private static IEnumerable<RetryFinding> ValidateLimits(RetryPointSettings settings, string path, bool isMerged) =>
    [
        .. ValidateBudget(settings, path, isMerged),
        .. ValidateLimit(settings.LimitPerSecond, settings.LimitBurst, ($"{path}:Limit:PerSecond", $"{path}:Limit:Burst"), isMerged),
        .. ValidateLimit(settings.DeliveriesPerSecond, settings.DeliveryBurst, ($"{path}:DeliveriesPerSecond", $"{path}:DeliveryBurst"), isMerged),
    ];

    private static IEnumerable<RetryFinding> ValidateLimit(double? rate, int? burst, (string Rate, string Burst) at, bool isMerged)
    {
        if (rate is { } perSecond && !(perSecond >= SettingRange.LowestRate && perSecond <= SettingRange.HighestRate))
        {
            yield return new(
                at.Rate,
                string.Create(CultureInfo.InvariantCulture, $"found {perSecond}, wanted 1/3600 (one an hour) to {SettingRange.HighestRate} messages per second; for no limit leave it away"));
        }

        if (burst is < 1 or > SettingRange.LargestBurst)
        {
            yield return new(at.Burst, $"found {burst}, wanted 1 to {SettingRange.LargestBurst} messages");
        }

        if (isMerged && burst is not null && rate is null)
        {
            yield return new(at.Rate, $"found none beside {at.Burst[(at.Burst.LastIndexOf(':') + 1)..]}, wanted a rate in messages per second");
        }
    }

    private static IEnumerable<RetryFinding> ValidateBudget(RetryPointSettings settings, string path, bool isMerged)
    {
        var (share, floor) = ($"{path}:{OperatorSettings.Budget}", $"{path}:{OperatorSettings.BudgetFloor}");
        if (settings.BudgetShare is { } found && !(found >= 0 && found <= SettingRange.LargestShare))
        {
            yield return new(share, string.Create(
                CultureInfo.InvariantCulture,
                $"found {found}, wanted 0 to {SettingRange.LargestShare} retries for each success, such as 0.2; for no budget leave it away"));
        }

        if (settings.BudgetFloor is { } least && !(least >= SettingRange.LowestRate && least <= SettingRange.HighestRate))
        {
            yield return new(floor, string.Create(
                CultureInfo.InvariantCulture,
                $"found {least}, wanted 1/3600 (one an hour) to {SettingRange.HighestRate} messages per second"));
        }

        if (isMerged && settings is { BudgetFloor: not null, BudgetShare: null })
        {
            yield return new(share, $"found none beside {OperatorSettings.BudgetFloor}, wanted how many retries there may be for each success, such as 0.2");
        }
    }

    private static string Text(TimeSpan duration) => DurationText.Format(duration);
}
