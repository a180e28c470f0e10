namespace Retry.Messaging.Configuration;

/// <summary>One setting of a point, and where it comes from.</summary>
/// <param name="Name">The setting, as in appsettings.</param>
/// <param name="Value">Its value in words.</param>
/// <param name="From">The layer that says it, or <see cref="Default"/>.</param>
internal sealed record SettingOrigin(string Name, string Value, string From)
{
    /// <summary>No layer says it.</summary>
    public const string Default = "default";
}
