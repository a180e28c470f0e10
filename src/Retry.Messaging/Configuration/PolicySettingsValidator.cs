using System.Globalization;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Checks the settings of a policy.</summary>
internal static class PolicySettingsValidator
{
    /// <summary>How many delays are added up, and how many results of a function tried out.</summary>
    private const int MostDelaysLookedAt = 10_000;

    /// <summary>Checks what a policy means together with its defaults, and with the validity.</summary>
    public static IEnumerable<RetryFinding> ValidateWhole(PolicySettings merged, TimeSpan? validFor, string path) =>
        ValidateTogether(merged, path).Concat(ValidateSum(merged, validFor, path));

    /// <summary>Checks each value, and of a merged policy what they mean together.</summary>
    public static IEnumerable<RetryFinding> Validate(PolicySettings policy, string path, bool isMerged) =>
        ValidateValues(policy, path).Concat(isMerged ? ValidateTogether(policy, path) : ValidateMax(policy.First, policy.Max, path));

    private static IEnumerable<RetryFinding> ValidateValues(PolicySettings policy, string path)
    {
        foreach (var (name, value) in new[]
        {
            ("First", policy.First), ("Increment", policy.Increment), ("Delay", policy.Delay), ("Max", policy.Max),
        })
        {
            if (value is { } delay && !IsDelay(delay))
            {
                yield return NotADelay($"{path}:{name}", delay);
            }
        }

        if (policy.Factor is { } factor && !(factor >= 1 && double.IsFinite(factor)))
        {
            yield return new(
                $"{path}:Factor",
                string.Create(CultureInfo.InvariantCulture, $"found {factor}, wanted a finite number of 1 or more: delays must not shrink"));
        }

        if (policy.Intervals is { } intervals)
        {
            if (intervals.Count == 0)
            {
                yield return new($"{path}:Intervals", "found none, wanted at least one; for no retries at all say 0 retries");
            }

            for (var i = 0; i < intervals.Count; i++)
            {
                if (!IsDelay(intervals[i]))
                {
                    yield return NotADelay($"{path}:Intervals:{i}", intervals[i]);
                }
            }
        }

        if ((policy.Retries?.Value ?? policy.ImmediateRetries) is { } retries and (< 0 or > SettingRange.MostRetries))
        {
            yield return new(
                $"{path}:Retries",
                $"found {retries}, wanted 0 (none) to {SettingRange.MostRetries}; for no bound by number say {RetryCount.UntilExpiredText}");
        }

        if (policy.Jitter is { } jitter && !Enum.IsDefined(jitter))
        {
            yield return new($"{path}:Jitter", $"found {(int)jitter}, wanted one of {string.Join(", ", Enum.GetNames<Jitter>())}");
        }
    }

    private static IEnumerable<RetryFinding> ValidateTogether(PolicySettings policy, string path)
    {
        var kind = policy.EffectiveKind;
        foreach (var (name, isSet, belongsTo) in new (string, bool, PolicyKind[])[]
        {
            ("First", policy.First is not null, [PolicyKind.Exponential, PolicyKind.Linear]),
            ("Factor", policy.Factor is not null, [PolicyKind.Exponential]),
            ("Increment", policy.Increment is not null, [PolicyKind.Linear]),
            ("Delay", policy.Delay is not null, [PolicyKind.Fixed]),
            ("Intervals", policy.Intervals is not null, [PolicyKind.Intervals]),
            ("Max", policy.Max is not null, [PolicyKind.Exponential, PolicyKind.Linear]),
        })
        {
            if (isSet && !belongsTo.Contains(kind))
            {
                yield return new(
                    $"{path}:{name}",
                    $"found beside policy {kind}, wanted with {string.Join(" or ", belongsTo)}; name that policy here, or take {name} away");
            }
        }

        switch (kind)
        {
            case PolicyKind.Exponential or PolicyKind.Linear:
                foreach (var finding in ValidateMax(policy.EffectiveFirst, policy.EffectiveMax, path))
                {
                    yield return finding;
                }

                break;
            case PolicyKind.Intervals when policy.Intervals is null:
                yield return new($"{path}:Intervals", "found none, wanted at least one with policy Intervals");
                break;
            case PolicyKind.Custom when policy.Custom is { } custom:
                foreach (var finding in TryOut(custom, policy.EffectiveRetries, path))
                {
                    yield return finding;
                }

                break;
        }

        if (kind is PolicyKind.Fixed or PolicyKind.Intervals or PolicyKind.Immediate && policy.Jitter == Jitter.Decorrelated)
        {
            yield return new(
                $"{path}:Jitter",
                $"found Decorrelated with policy {kind}, wanted with Exponential or Linear: it looks only at the first delay and the cap; use Full or Equal",
                FindingSeverity.Warning);
        }

        if (policy.EffectiveRetries is null && LongestIsZero(policy))
        {
            yield return new(
                $"{path}:Retries",
                $"found {RetryCount.UntilExpiredText} with delays of zero, wanted a number or a delay: a failing message would run without a pause until it expires");
        }
    }

    private static IEnumerable<RetryFinding> ValidateMax(TimeSpan? first, TimeSpan? max, string path)
    {
        if (max < first)
        {
            yield return new($"{path}:Max", $"found {Text(max.Value)}, wanted at least First, {Text(first.Value)}");
        }
    }

    /// <summary>Warns of retries that cannot happen. Only for settings without errors: a sum of nonsense says nothing.</summary>
    public static IEnumerable<RetryFinding> ValidateSum(PolicySettings settings, TimeSpan? validFor, string path)
    {
        if (settings.EffectiveRetries is null
            || validFor <= TimeSpan.Zero
            || ValidateValues(settings, path).Concat(ValidateTogether(settings, path)).Any(finding => finding.Severity == FindingSeverity.Error))
        {
            yield break;
        }

        var period = validFor ?? RetryDefaults.ValidFor;
        var policy = settings.Build();
        var sum = TimeSpan.Zero;
        for (var retry = 1; retry <= MostDelaysLookedAt && policy.NominalDelay(retry) is { } delay; retry++)
        {
            sum += delay;
            if (sum > period)
            {
                yield return new(
                    $"{path}:ValidFor",
                    $"found {Text(period)}, wanted at least the delays of {policy.MaxRetries} retries: the first {retry} alone take {Text(sum)}, so later ones may never run; allow fewer or shorter ones, or say {RetryCount.UntilExpiredText}",
                    FindingSeverity.Warning);
                yield break;
            }
        }
    }

    private static IEnumerable<RetryFinding> TryOut(Func<int, TimeSpan> custom, int? retries, string path)
    {
        for (var retry = 1; retry <= Math.Min(retries ?? 100, 100); retry++)
        {
            string? thrown = null;
            try
            {
                custom(retry);
            }
#pragma warning disable CA1031 // any exception of a caller's function is the finding
            catch (Exception exception)
#pragma warning restore CA1031
            {
                thrown = exception.GetType().Name;
            }

            if (thrown is not null)
            {
                yield return new($"{path}:Custom", $"found a function that throws {thrown} for retry {retry}, wanted a delay for every retry");
                yield break;
            }
        }
    }

    private static bool LongestIsZero(PolicySettings policy) => policy.EffectiveKind switch
    {
        PolicyKind.Exponential => policy.EffectiveFirst == TimeSpan.Zero,
        PolicyKind.Linear => policy.EffectiveMax == TimeSpan.Zero || (policy.EffectiveFirst == TimeSpan.Zero && policy.Increment == TimeSpan.Zero),
        PolicyKind.Fixed => policy.Delay == TimeSpan.Zero,
        PolicyKind.Intervals => policy.Intervals is [.., var last] && last == TimeSpan.Zero,
        PolicyKind.Immediate => true,
        _ => false,
    };

    private static bool IsDelay(TimeSpan delay) => delay >= TimeSpan.Zero && delay <= DelaySchedule.LongestDelay;

    private static RetryFinding NotADelay(string path, TimeSpan found) =>
        new(path, $"found {Text(found)}, wanted a duration from 0s to {Text(DelaySchedule.LongestDelay)}");

    private static string Text(TimeSpan duration) => DurationText.Format(duration);
}
