using System.IO.Compression;
using System.Xml.Linq;
using Retry.Messaging.Tests.Architecture;
using Xunit;

namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>What these tests run on, packed: nothing is built again.</summary>
public sealed class PackedLibraries : IAsyncLifetime
{
    private const string Tool = "Retry.Messaging.Cli";

    public static IReadOnlyList<string> Libraries { get; } =
        [.. Repository.Projects.Where(project => project.Folder == "src" && project.Name != Tool).Select(project => project.Name)];

    public static IReadOnlyList<string> All { get; } = [.. Libraries, Tool];

    /// <summary>Gets a version of its own: a package of the same version in NuGet's cache would be used instead of the one just packed.</summary>
    public string Version { get; } = $"0.0.1-test{Guid.NewGuid():N}"[..20];

    public string Folder { get; } = Directory.CreateTempSubdirectory("retry-packages-").FullName;

    public async Task InitializeAsync()
    {
        var configuration = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar).Contains("Release") ? "Release" : "Debug";
        await Dotnet.RunAsync(Repository.Root, "pack", "Retry.Messaging.sln", "--no-build", "--configuration", configuration, "--output", Folder, $"-p:Version={Version}");
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return Task.CompletedTask;
    }

    public ZipArchive Open(string library) => ZipFile.OpenRead(Path.Combine(Folder, $"{library}.{Version}.nupkg"));

    public XElement SpecificationOf(string library)
    {
        using var package = Open(library);
        using var specification = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(specification).Root!;
    }

    /// <summary>Gives the versions of other packages that a package asks for, as they are written.</summary>
    public IReadOnlyDictionary<string, string> DependenciesOf(string library) => SpecificationOf(library).Descendants()
        .Where(element => element.Name.LocalName == "dependency")
        .ToDictionary(dependency => dependency.Attribute("id")!.Value, dependency => dependency.Attribute("version")!.Value);
}
