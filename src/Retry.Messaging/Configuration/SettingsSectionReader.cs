using System.Globalization;
using Microsoft.Extensions.Configuration;
using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>Reads sections key by key. What cannot be read becomes a finding with its path, and reading goes on.</summary>
internal sealed class SettingsSectionReader
{
    private static readonly string[] ClockFormats = ["c", @"h\:mm\:ss", @"h\:mm"];

    private readonly List<RetryFinding> _findings = [];

    /// <summary>Gets everything that could not be read so far.</summary>
    internal IReadOnlyList<RetryFinding> Findings => _findings;

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

    /// <summary>Reads one of some names, without regard to case.</summary>
    internal T? OneOf<T>(IConfigurationSection section, IEnumerable<T> values)
        where T : struct, Enum
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        // By name, not by Enum.Parse: that also takes numbers and lists.
        string[] names = [.. values.Select(value => value.ToString())];
        if (names.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            return Enum.Parse<T>(found);
        }

        var meant = Spelling.Closest(text, names);
        Add(section, $"found '{text}', wanted one of {string.Join(", ", names)}{(meant is null ? "" : $", did you mean '{meant}'?")}");
        return null;
    }

    /// <summary>Reads one value that is not empty.</summary>
    internal string? Text(IConfigurationSection section)
    {
        if (section.GetChildren().Any())
        {
            Add(section, "found a section or list, wanted one value");
            return null;
        }

        if (!string.IsNullOrWhiteSpace(section.Value))
        {
            return section.Value.Trim();
        }

        Add(section, "found nothing, wanted a value; to leave it to the lower layers take the key away");
        return null;
    }

    /// <summary>Reads a duration.</summary>
    internal TimeSpan? Duration(IConfigurationSection section)
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        // Exactly: left to itself .NET reads "5" as five days, and "24:00:00" as twenty-four.
        if (DurationText.TryParse(text, out var duration)
            || (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParseExact(text, ClockFormats, CultureInfo.InvariantCulture, out duration)))
        {
            return duration;
        }

        Add(section, $"found '{text}', wanted a duration such as '00:00:30', '1.12:00:00', '30s', '1m30s' or '2h'");
        return null;
    }

    private double? Number(IConfigurationSection section)
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Add(section, $"found '{text}', wanted a number such as 3 or 1.5");
        return null;
    }

    private int? WholeNumber(IConfigurationSection section)
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Add(section, $"found '{text}', wanted a whole number such as 10");
        return null;
    }

    private RetryCount? Retries(IConfigurationSection section)
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        if (text.Equals(RetryCount.UntilExpiredText, StringComparison.OrdinalIgnoreCase))
        {
            return RetryCount.UntilExpired;
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return new RetryCount(number);
        }

        Add(section, $"found '{text}', wanted a number such as 8, or {RetryCount.UntilExpiredText}");
        return null;
    }

    private bool? Flag(IConfigurationSection section)
    {
        if (Text(section) is not { } text)
        {
            return null;
        }

        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Add(section, $"found '{text}', wanted true or false");
        return null;
    }

    private List<TimeSpan>? Intervals(IConfigurationSection section)
    {
        var items = Items(section, "[\"30s\", \"2m\"]");
        var intervals = items.Select(Duration).ToList();
        return intervals.Contains(null) || (items.Count == 0 && !string.IsNullOrEmpty(section.Value)) ? null : [.. intervals.OfType<TimeSpan>()];
    }

    private List<IConfigurationSection> Items(IConfigurationSection section, string example)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add(section, $"found '{section.Value}', wanted a list such as {example}");
        }

        List<IConfigurationSection> items = [];
        foreach (var child in section.GetChildren())
        {
            if (int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                items.Add(child);
            }
            else
            {
                Add(child, $"unknown key; wanted a list such as {example}");
            }
        }

        return items;
    }

    private Type? ExceptionType(IConfigurationSection section, string name)
    {
        var (type, problem) = ExceptionTypeName.Resolve(name);
        if (problem is not null)
        {
            Add(section, problem);
        }

        return type;
    }

    private void Add(IConfigurationSection section, string message) => _findings.Add(new RetryFinding(section.Path, message));
}
