namespace Retry.Messaging.BrokerTests.Packages;

/// <summary>A service of somebody who has our packages and knows nothing of this repository.</summary>
internal sealed class Shop
{
    private Shop(string folder) => Folder = folder;

    public string Folder { get; }

    public string Configuration => Path.Combine(Folder, "NuGet.Config");

    /// <param name="folder">Where the project is made, and what it restores is kept.</param>
    /// <param name="packed">The packages.</param>
    /// <param name="massTransit">The version of MassTransit that the service asks for itself.</param>
    /// <param name="suppressed">Warnings that the service does not want to read.</param>
    public static async Task<Shop> CreateAsync(string folder, PackedLibraries packed, string? massTransit = null, string suppressed = "")
    {
        var shop = new Shop(Directory.CreateDirectory(folder).FullName);
        var own = massTransit is null ? "" : $"""
                <PackageReference Include="MassTransit" Version="{massTransit}" />
                <PackageReference Include="MassTransit.RabbitMQ" Version="{massTransit}" />
            """;
        await File.WriteAllTextAsync(Path.Combine(folder, "Shop.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NoWarn>$(NoWarn);{suppressed}</NoWarn>
                <RestorePackagesPath>{folder}/restored</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Retry.Messaging.MassTransit" Version="{packed.Version}" />
                <PackageReference Include="Microsoft.Extensions.Hosting" Version="10.0.15" />
            {own}
              </ItemGroup>
            </Project>
            """);

        // beside the sources that this machine is configured with
        await File.WriteAllTextAsync(shop.Configuration, $"""
            <configuration><packageSources><add key="packed" value="{packed.Folder}" /></packageSources></configuration>
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
            Console.WriteLine($"done at attempt {await done.Task.WaitAsync(TimeSpan.FromMinutes(1))} beside MassTransit {typeof(IBus).Assembly.GetName().Version}");
            await host.StopAsync();

            namespace Shop
            {
                public sealed record Order(string Id);
            }
            """);
        await Dotnet.RunAsync(folder, "build", "--configuration", "Release");
        return shop;
    }

    /// <summary>Publishes one order, whose consumer fails twice, and gives what the service printed.</summary>
    public Task<(int ExitCode, string Output)> RunAsync(Uri broker) =>
        Dotnet.TryAsync(Folder, "dotnet", "bin/Release/net10.0/Shop.dll", broker.AbsoluteUri);
}
