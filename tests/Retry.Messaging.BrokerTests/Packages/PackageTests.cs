using System.Diagnostics;
using System.IO.Compression;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>What a user gets: packages from a folder, in a project that knows nothing of this repository.</summary>
[Collection(SharedBroker.Name)]
[Trait("Category", "Long")]
public sealed class PackageTests(BrokerFixture broker) : IDisposable
{
    private static readonly string[] Libraries = ["Retry.Messaging", "Retry.Messaging.RabbitMq", "Retry.Messaging.MassTransit", "Retry.Messaging.Testing"];

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    // a version of its own: a package of the same version in NuGet's cache would be used instead of the one just packed
    private readonly string _version = $"0.0.1-test{Guid.NewGuid():N}"[..20];
    private readonly string _folder = Directory.CreateTempSubdirectory("retry-packages-").FullName;

    [Fact]
    public async Task Packages_restore_into_a_fresh_project_that_retries_on_a_broker_and_the_tool_installs()
    {
        var packages = Path.Combine(_folder, "packages");
        foreach (var library in Libraries.Append("Retry.Messaging.Cli"))
        {
            await DotnetAsync(Repository.Root, "pack", $"src/{library}", "--configuration", "Release", "--output", packages, $"-p:Version={_version}", "--artifacts-path", Path.Combine(_folder, "artifacts"));
            using var package = ZipFile.OpenRead(Path.Combine(packages, $"{library}.{_version}.nupkg"));
            package.GetEntry("README.md").ShouldNotBeNull(library);
            var specification = await new StreamReader(package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open()).ReadToEndAsync();
            foreach (var element in (string[])["<license type=\"expression\">Apache-2.0</license>", "<readme>README.md</readme>", "<description>", "<tags>", "<authors>"])
            {
                specification.ShouldContain(element, Case.Sensitive, library);
            }

            if (library != "Retry.Messaging.Cli")
            {
                File.Exists(Path.Combine(packages, $"{library}.{_version}.snupkg")).ShouldBeTrue(library);
                package.Entries.ShouldContain(entry => entry.FullName == $"lib/net10.0/{library}.xml", library);
            }
        }

        var shop = await CreateProjectAsync(packages);
        await DotnetAsync(shop, "build", "--configuration", "Release");
        var address = await broker.CreateVirtualHostAsync();
        (await DotnetAsync(shop, "bin/Release/net10.0/Shop.dll", address.AbsoluteUri)).ShouldContain("done at attempt 3");

        var tool = Path.Combine(_folder, "tool");
        await DotnetAsync(shop, "tool", "install", "Retry.Messaging.Cli", "--tool-path", tool, "--version", _version, "--configfile", Path.Combine(shop, "NuGet.Config"));
        (await RunAsync(_folder, Path.Combine(tool, "retryctl"), "--help")).ShouldContain("the retry ladder and the parking lots");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> CreateProjectAsync(string packages)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "shop")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "Shop.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <RestorePackagesPath>{_folder}/restored</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Retry.Messaging.MassTransit" Version="{_version}" />
                <PackageReference Include="Microsoft.Extensions.Hosting" Version="10.0.14" />
              </ItemGroup>
            </Project>
            """);

        // beside the sources that this machine is configured with
        await File.WriteAllTextAsync(Path.Combine(folder, "NuGet.Config"), $"""
            <configuration><packageSources><add key="packed" value="{packages}" /></packageSources></configuration>
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), """
            using MassTransit;
            using Microsoft.Extensions.DependencyInjection;
            using Microsoft.Extensions.Hosting;
            using Shop;

            var done = new TaskCompletionSource<int>();
            var builder = Host.CreateApplicationBuilder();
            // what is published before the endpoint is bound goes nowhere
            builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
            builder.Services.AddMassTransit(x =>
            {
                x.DisableUsageTelemetry();
                x.AddGradientRetry();
                x.UsingRabbitMq((context, cfg) =>
                {
                    cfg.Host(new Uri(args[0]));
                    cfg.ReceiveEndpoint("orders", e =>
                    {
                        e.UseGradientRetry(context, retry => retry.Intervals("100ms", "200ms"));
                        e.Handler<Order>(order =>
                        {
                            if (order.GetRedeliveryCount() < 2)
                            {
                                throw new InvalidOperationException("not yet");
                            }

                            done.TrySetResult(order.GetRedeliveryCount() + 1);
                            return Task.CompletedTask;
                        });
                    });
                });
            });
            using var host = builder.Build();
            await host.StartAsync();
            await host.Services.GetRequiredService<IBus>().Publish(new Order("1"));
            Console.WriteLine($"done at attempt {await done.Task.WaitAsync(TimeSpan.FromMinutes(1))}");
            await host.StopAsync();

            namespace Shop
            {
                public sealed record Order(string Id);
            }
            """);
        return folder;
    }

    private static Task<string> DotnetAsync(string folder, params string[] arguments) => RunAsync(folder, "dotnet", arguments);

    private static async Task<string> RunAsync(string folder, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        // no build server outlives the test, and none of the outer build's settings reach the inner one
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment.Remove("MSBuildExtensionsPath");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        process.ExitCode.ShouldBe(0, $"{command} {string.Join(' ', arguments)}\n{await output}\n{await error}");
        return await output;
    }
}
