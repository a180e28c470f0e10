using System.Reflection;
using System.Runtime.Loader;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Says which packages are loaded in a version that this library does not work beside.</summary>
/// <remarks>
/// NuGet only warns of a package above the range that our package allows (NU1608), and a version can be forced below it. The bus would
/// then end in a TypeLoadException or a MissingMethodException that names neither version. What is called here touches no type of those
/// packages.
/// </remarks>
internal static class SupportedPackages
{
    // by the names of their assemblies
    private static readonly Dictionary<string, string> Packages = new()
    {
        ["MassTransit.Abstractions"] = "MassTransit.Abstractions",
        ["MassTransit"] = "MassTransit",
        ["MassTransit.RabbitMqTransport"] = "MassTransit.RabbitMQ",
        ["RabbitMQ.Client"] = "RabbitMQ.Client",
    };

    /// <summary>Refuses to start beside a version that is outside of the range in our package.</summary>
    /// <exception cref="NotSupportedException">Found, wanted, and what to type next, for each package.</exception>
    public static void Check()
    {
        var library = typeof(SupportedPackages).Assembly;
        var findings = library.GetReferencedAssemblies()
            .Where(reference => Packages.ContainsKey(reference.Name!))
            .Select(reference => Finding(Packages[reference.Name!], VersionOf(library, reference), RangeOf(library, Packages[reference.Name!])))
            .OfType<string>()
            .ToList();
        if (findings.Count > 0)
        {
            throw new NotSupportedException($"{library.GetName().Name} cannot work beside what is loaded. {string.Join(" ", findings)}");
        }
    }

    /// <summary>Compares a version with a range in NuGet's notation, such as <c>[8.5.11, 9.0.0)</c>.</summary>
    /// <returns>Found, wanted and what to type next, or null when the version is in the range.</returns>
    internal static string? Finding(string package, Version found, string range)
    {
        var bounds = range.Trim('[', ')').Split(',', StringSplitOptions.TrimEntries);
        var (lowest, below) = (Version.Parse(bounds[0]), Version.Parse(bounds[1]));
        return found >= lowest && found < below
            ? null
            : $"Found {package} {found}, wanted {lowest} or later, but below {below}: type 'dotnet add package {package} --version {lowest}'.";
    }

    // The build writes the ranges of Directory.Packages.props into the assembly; all of MassTransit has one.
    private static string RangeOf(Assembly library, string package) => library.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(metadata => package.StartsWith(metadata.Key, StringComparison.Ordinal)).Value!;

    private static Version VersionOf(Assembly library, AssemblyName reference)
    {
        try
        {
            var loaded = AssemblyLoadContext.GetLoadContext(library)!.LoadFromAssemblyName(reference);

            // RabbitMQ.Client's assembly has the version 7.0.0.0 in every 7.x: this is the package's, with "+commit" or "-preview" behind it
            var text = loaded.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+', '-')[0];
            return ThreeParts(Version.TryParse(text, out var version) ? version : loaded.GetName().Version!);
        }
        catch (IOException) when (File.Exists(PathOf(reference)))
        {
            // .NET loads no assembly that is lower than the one we were built against: a FileNotFoundException, or a FileLoadException
            return ThreeParts(AssemblyName.GetAssemblyName(PathOf(reference)).Version!);
        }
    }

    private static string PathOf(AssemblyName reference) => Path.Combine(AppContext.BaseDirectory, reference.Name + ".dll");

    private static Version ThreeParts(Version version) => new(version.Major, version.Minor, Math.Max(0, version.Build));
}
