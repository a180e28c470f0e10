using MassTransit;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>What the packages say of themselves, and which versions of others they ask for.</summary>
public sealed class SpecificationTests(PackedLibraries packed) : IClassFixture<PackedLibraries>
{
    private const string Lowest = "8.5.11";

    private static readonly Dictionary<string, string> Bounds = new()
    {
        ["MassTransit"] = $"[{Lowest}, 9.0.0)",
        ["MassTransit.RabbitMQ"] = $"[{Lowest}, 9.0.0)",
        ["RabbitMQ.Client"] = "[7.2.2, 8.0.0)",
    };

    [Fact]
    public void Packages_that_share_internals_fit_together_in_one_version_only()
    {
        foreach (var library in PackedLibraries.Libraries)
        {
            var siblings = packed.DependenciesOf(library).Where(dependency => dependency.Key.StartsWith("Retry.Messaging", StringComparison.Ordinal)).ToList();

            siblings.Select(sibling => sibling.Key).ShouldBe(Repository.Projects.Single(project => project.Name == library).References, ignoreOrder: true, library);
            siblings.ShouldAllBe(sibling => sibling.Value == $"[{packed.Version}]", library);
        }
    }

    [Fact]
    public void What_a_new_version_of_can_break_us_has_bounds()
    {
        var bounded = PackedLibraries.Libraries.SelectMany(packed.DependenciesOf).Where(dependency => Bounds.ContainsKey(dependency.Key)).ToList();

        bounded.Select(dependency => dependency.Key).Distinct().ShouldBe(Bounds.Keys, ignoreOrder: true);
        bounded.ShouldAllBe(dependency => dependency.Value == Bounds[dependency.Key]);
    }

    /// <summary>MassTransit's assemblies have the version of their package, and .NET loads none that is lower than what was built against.</summary>
    [Fact]
    public void Libraries_are_built_against_the_lowest_MassTransit_that_they_allow() =>
        typeof(GradientRetryConfigurationExtensions).Assembly.GetReferencedAssemblies()
            .Where(reference => reference.Name!.StartsWith("MassTransit", StringComparison.Ordinal))
            .ShouldAllBe(reference => reference.Version == Version.Parse(Lowest + ".0"));

    [Fact]
    public void The_README_names_the_versions()
    {
        // lines are wrapped where they become too long
        var readme = string.Join(' ', File.ReadAllLines(Path.Combine(Repository.Root, "README.md")));

        readme.ShouldContain($"MassTransit {Lowest} or a later 8");
        readme.ShouldContain("RabbitMQ.Client 7.2.2 or a later 7");
    }

    [Fact]
    public void Each_package_says_what_it_is_and_carries_documentation_and_symbols()
    {
        foreach (var library in PackedLibraries.All)
        {
            using var package = packed.Open(library);
            package.GetEntry("README.md").ShouldNotBeNull(library);
            var specification = packed.SpecificationOf(library).ToString();
            foreach (var element in (string[])["<license type=\"expression\">Apache-2.0</license>", "<readme>README.md</readme>", "<description>", "<tags>", "<authors>"])
            {
                specification.ShouldContain(element, Case.Sensitive, library);
            }

            if (PackedLibraries.Libraries.Contains(library))
            {
                File.Exists(Path.Combine(packed.Folder, $"{library}.{packed.Version}.snupkg")).ShouldBeTrue(library);
                package.Entries.ShouldContain(entry => entry.FullName == $"lib/net10.0/{library}.xml", library);
            }
        }
    }
}
