using System.Reflection;
using Retry.Messaging.Configuration;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The versions of assemblies as their packages are called.</summary>
internal static class VersionText
{
    /// <summary>The version of a library's package; without the commit that it was built of.</summary>
    public static string Of(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? assembly.GetName().Version?.ToString() ?? "unknown";

    /// <summary>What the program says of its own build, with the commit; <see langword="null"/> where it is not known.</summary>
    public static string? OfProgram() =>
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion is { Length: > 0 } version
            ? HeaderText.OneLine(version, BusSettings.LongestBuild)
            : null;
}
