using System.Diagnostics;
using Retry.Messaging.BrokerTests.Packages;
using Retry.Messaging.Tests.Architecture;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Strategies;

/// <summary>A service on an older build of the library, as it runs beside newer ones while they are rolled out. It is built from the history.</summary>
internal sealed class OlderBuild : IAsyncDisposable
{
    // the last one that follows policies and knows no retry budget
    private const string Commit = "cd093a9f4476438f9c50a7bdf3ee836476bc9c73";
    private const string Ready = "ready";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("retry-older-").FullName;
    private readonly List<Process> _processes = [];

    private string Shop => Path.Combine(_folder, "shop");

    public static async Task<OlderBuild> CreateAsync()
    {
        var build = new OlderBuild();
        var (older, archive) = (Path.Combine(build._folder, "older"), Path.Combine(build._folder, "older.tar"));
        Directory.CreateDirectory(older);
        Directory.CreateDirectory(build.Shop);
        await Dotnet.RunCommandAsync(Repository.Root, "git", "archive", "--output", archive, Commit);
        await Dotnet.RunCommandAsync(older, "tar", "--extract", "--file", archive);
        await File.WriteAllTextAsync(Path.Combine(build.Shop, "Shop.csproj"), """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
              </PropertyGroup>
              <ItemGroup>
                <ProjectReference Include="../older/src/Retry.Messaging.MassTransit/Retry.Messaging.MassTransit.csproj" />
                <PackageReference Include="Microsoft.Extensions.Hosting" Version="10.0.15" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(build.Shop, "Program.cs"), """
            using MassTransit;
            using Microsoft.Extensions.DependencyInjection;
            using Microsoft.Extensions.Hosting;
            using Retry.Messaging.BrokerTests.Strategies;

            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = true);
            builder.Services.AddMassTransit(x =>
            {
                x.DisableUsageTelemetry();
                x.AddGradientRetry();
                x.UsingRabbitMq((context, cfg) =>
                {
                    cfg.Host(new Uri(args[0]));
                    cfg.ReceiveEndpoint("payments", e =>
                    {
                        e.UseGradientRetry(context, retry =>
                        {
                            retry.Fixed(TimeSpan.FromMilliseconds(300)).Retries(1);
                            retry.Isolated();
                        });
                        e.Handler<PolicyTests.Charge>(_ => throw new InvalidOperationException("the gateway is away"));
                    });
                });
            });
            using var host = builder.Build();
            await host.StartAsync();
            Console.WriteLine("ready");
            // the console's reader blocks even when asked to read asynchronously
            await Task.Run(Console.In.ReadToEnd);
            await host.StopAsync();

            namespace Retry.Messaging.BrokerTests.Strategies
            {
                // MassTransit knows a message by this name
                public static class PolicyTests
                {
                    public sealed record Charge;
                }
            }
            """);
        await Dotnet.RunAsync(build.Shop, "build", "--configuration", "Release");
        return build;
    }

    /// <summary>Starts an instance, and waits until it consumes.</summary>
    public async Task StartAsync(Uri address)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Shop, "bin", "Release", "net10.0", "Shop.dll"), address.AbsoluteUri])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _processes.Add(process);
        (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(Ready);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
