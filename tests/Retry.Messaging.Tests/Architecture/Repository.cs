using System.Xml.Linq;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>The files of this repository, found from where the tests run.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<Project> Projects { get; } =
        [.. new[] { "src", "tests", "samples" }.Select(folder => Path.Combine(Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories)).Select(Project.Read)];

    /// <summary>The source files below a folder, without what the compiler generates.</summary>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(file => !Relative(file).Split('/').Any(part => part is "obj" or "bin"));

    public static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Retry.Messaging.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"Found no Retry.Messaging.sln above {AppContext.BaseDirectory}; run the tests from a checkout.");
    }

    internal sealed record Project(string Name, string Folder, IReadOnlyList<string> References, IReadOnlyList<string> Packages, IReadOnlyList<string> Friends)
    {
        public static Project Read(string file)
        {
            var xml = XDocument.Load(file);
            return new Project(
                Path.GetFileNameWithoutExtension(file),
                Relative(file).Split('/')[0],
                [.. Includes("ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))],
                [.. Includes("PackageReference")],
                [.. Includes("InternalsVisibleTo")]);

            IEnumerable<string> Includes(string element) => xml.Descendants(element).Select(item => item.Attribute("Include")?.Value).OfType<string>();
        }
    }
}
