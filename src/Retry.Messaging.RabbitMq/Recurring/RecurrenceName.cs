namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>The name of a recurrence: the id of its schedule, after its group and a slash where it has one.</summary>
internal static class RecurrenceName
{
    // a header of the control log and a column of a list
    private const int MostCharacters = 200;

    /// <summary>The name.</summary>
    /// <exception cref="FormatException">It cannot be one.</exception>
    public static string Of(string? group, string? id)
    {
        var name = string.IsNullOrEmpty(group) ? id ?? string.Empty : $"{group}/{id}";
        return string.IsNullOrWhiteSpace(id) || name.Length > MostCharacters || name.Any(char.IsControl)
            ? throw new FormatException($"Found the id '{id}' and the group '{group}' of a recurring schedule, wanted an id, and no more than {MostCharacters} characters in both together, no control characters.")
            : name;
    }

    /// <summary>Group and id of a name; the group is empty where there is none.</summary>
    public static (string Group, string Id) Split(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (string.Empty, name) : (name[..slash], name[(slash + 1)..]);
    }
}
