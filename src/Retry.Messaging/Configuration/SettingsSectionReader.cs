using Microsoft.Extensions.Configuration;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Reads sections key by key. What cannot be read becomes a finding with its path, and reading goes on.</summary>
internal sealed class SettingsSectionReader : SettingsValueReader
{
    /// <summary>Reads the settings of a retry point.</summary>
    /// <param name="section">The section.</param>
    /// <param name="others">The readers of keys that are no settings of a point.</param>
    internal RetryPointSettings ReadPoint(IConfigurationSection section, Dictionary<string, Action<IConfigurationSection>> others)
    {
        var settings = new RetryPointSettings();
        var policy = settings.Policy;
        var namedBy = new Dictionary<Type, string>();
        var readers = new Dictionary<string, Action<IConfigurationSection>>
        {
            // Custom is a function: there is no way to write it here.
            ["Policy"] = at => policy.Kind = OneOf(at, Enum.GetValues<PolicyKind>().Where(kind => kind != PolicyKind.Custom)),
            ["First"] = at => policy.First = Duration(at),
            ["Factor"] = at => policy.Factor = Number(at),
            ["Increment"] = at => policy.Increment = Duration(at),
            ["Delay"] = at => policy.Delay = Duration(at),
            ["Intervals"] = at => policy.Intervals = Intervals(at),
            ["Max"] = at => policy.Max = Duration(at),
            ["Retries"] = at => policy.Retries = Retries(at),
            ["Jitter"] = at => policy.Jitter = OneOf(at, Enum.GetValues<Jitter>()),
            ["ValidFor"] = at => settings.ValidFor = Duration(at),
            ["Fail"] = at => AddRules(at, type => OutcomeRule.For(type, Outcome.Fail)),
            ["Done"] = at => AddRules(at, type => OutcomeRule.For(type, Outcome.Ok)),
            ["Handle"] = at => AddRules(at, OutcomeRule.Handle),
            ["Ignore"] = at => AddRules(at, type => OutcomeRule.For(type, Outcome.Fail)),
            ["AttemptTimeout"] = at => settings.AttemptTimeout = Duration(at),
            ["Tenant"] = at => settings.Tenant = Text(at),
            ["Limit"] = at => ReadKeys(at, new()
            {
                ["PerSecond"] = rate => settings.LimitPerSecond = Number(rate),
                ["Burst"] = burst => settings.LimitBurst = WholeNumber(burst),
            }),
            ["Isolated"] = at => settings.Isolated = Flag(at),
            ["ReleasableWithin"] = at => settings.ReleasableWithin = Duration(at),
            ["DeliveriesPerSecond"] = at => settings.DeliveriesPerSecond = Number(at),
            ["DeliveryBurst"] = at => settings.DeliveryBurst = WholeNumber(at),
            [OperatorSettings.Budget] = at => settings.BudgetShare = Number(at),
            [OperatorSettings.BudgetFloor] = at => settings.BudgetFloor = Number(at),
            ["Breaker"] = at => settings.Breaker = Flag(at),
            ["BreakerInterval"] = at => settings.BreakerInterval = Duration(at),
        };
        foreach (var (key, read) in others)
        {
            readers[key] = read;
        }

        ReadKeys(section, readers);
        return settings;

        void AddRules(IConfigurationSection list, Func<Type, OutcomeRule> rule)
        {
            foreach (var item in Items(list, "[\"Shop.CardDeclinedException\"]"))
            {
                if (Text(item) is { } name && ExceptionType(item, name) is { } type)
                {
                    if (!namedBy.TryAdd(type, list.Key))
                    {
                        Add(item, $"found {type.FullName} here and in {namedBy[type]}, wanted once: an exception means one thing");
                    }

                    settings.Rules.Add(rule(type));
                }
            }
        }
    }

    /// <summary>Hands each key to its reader, without regard to case; unknown keys and a value in place of keys are findings.</summary>
    internal void ReadKeys(IConfigurationSection section, Dictionary<string, Action<IConfigurationSection>> readers)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add(section, $"found the value '{section.Value}', wanted keys: {string.Join(", ", readers.Keys)}");
        }

        var byKey = new Dictionary<string, Action<IConfigurationSection>>(readers, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            if (!byKey.TryGetValue(child.Key, out var read))
            {
                var meant = Spelling.Closest(child.Key, readers.Keys);
                Add(child, $"unknown key; known are {string.Join(", ", readers.Keys)}{(meant is null ? "" : $", did you mean '{meant}'?")}");
            }
            else if (child.Value is not null || child.GetChildren().Any())
            {
                read(child); // null, as in JSON, says nothing
            }
        }
    }
}
