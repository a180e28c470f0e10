using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Retry.Messaging.Configuration;

/// <summary>Reads single values. What cannot be read becomes a finding with its path, and counts as not set.</summary>
internal abstract class SettingsValueReader
{
    private static readonly string[] ClockFormats = ["c", @"h\:mm\:ss", @"h\:mm"];

    private readonly List<RetryFinding> _findings = [];

    /// <summary>Gets everything that could not be read so far.</summary>
    internal IReadOnlyList<RetryFinding> Findings => _findings;

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

    protected double? Number(IConfigurationSection section)
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

    protected int? WholeNumber(IConfigurationSection section)
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

    protected RetryCount? Retries(IConfigurationSection section)
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

    protected bool? Flag(IConfigurationSection section)
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

    protected List<TimeSpan>? Intervals(IConfigurationSection section)
    {
        var items = Items(section, "[\"30s\", \"2m\"]");
        var intervals = items.Select(Duration).ToList();
        return intervals.Contains(null) || (items.Count == 0 && !string.IsNullOrEmpty(section.Value)) ? null : [.. intervals.OfType<TimeSpan>()];
    }

    protected List<IConfigurationSection> Items(IConfigurationSection section, string example)
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

    protected Type? ExceptionType(IConfigurationSection section, string name)
    {
        var (type, problem) = ExceptionTypeName.Resolve(name);
        if (problem is not null)
        {
            Add(section, problem);
        }

        return type;
    }

    protected void Add(IConfigurationSection section, string message) => _findings.Add(new RetryFinding(section.Path, message));
}
