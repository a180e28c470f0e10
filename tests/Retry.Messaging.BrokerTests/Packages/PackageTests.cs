using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>What a user gets: packages from a folder, in a project that knows nothing of this repository.</summary>
[Collection(OperatorBroker.Name)]
[Trait("Category", "Long")]
public sealed class PackageTests(PackedLibraries packed, BrokerFixture broker) : IClassFixture<PackedLibraries>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("retry-shop-").FullName;

    [Theory]
    [InlineData(null, "8.5.11")] // NuGet takes the lowest version that a range allows
    [InlineData("8.5.12", "8.5.12")]
    public async Task Packages_restore_into_a_fresh_project_that_retries_beside_the_lowest_and_the_newest_MassTransit(string? asked, string got)
    {
        var shop = await Shop.CreateAsync(Path.Combine(_folder, "shop"), packed, asked);

        var (exitCode, output) = await shop.RunAsync(await broker.CreateVirtualHostAsync());

        output.ShouldContain($"done at attempt 3 beside MassTransit {got}.0");
        exitCode.ShouldBe(0, output);
    }

    [Fact]
    public async Task Beside_another_MassTransit_the_service_says_found_and_wanted_when_it_starts()
    {
        // NU1608 is all that NuGet says: the version is outside of the range that we allow
        var shop = await Shop.CreateAsync(Path.Combine(_folder, "shop"), packed, "9.2.6", suppressed: "NU1608");

        var (exitCode, output) = await shop.RunAsync(new Uri("amqp://127.0.0.1:1/"));

        exitCode.ShouldNotBe(0);
        output.ShouldContain("Found MassTransit 9.2.6, wanted 8.5.11 or later, but below 9.0.0: type 'dotnet add package MassTransit --version 8.5.11'.");
    }

    [Fact]
    public async Task The_tool_installs()
    {
        var shop = await Shop.CreateAsync(Path.Combine(_folder, "shop"), packed);
        var tool = Path.Combine(_folder, "tool");

        await Dotnet.RunAsync(shop.Folder, "tool", "install", "Retry.Messaging.Cli", "--tool-path", tool, "--version", packed.Version, "--configfile", shop.Configuration);

        (await Dotnet.RunCommandAsync(_folder, Path.Combine(tool, "retryctl"), "--help")).ShouldContain("the retry ladder and the parking lots");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
