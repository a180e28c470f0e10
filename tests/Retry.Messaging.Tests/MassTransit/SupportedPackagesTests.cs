using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Loader;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.MassTransit.Configuration;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public class SupportedPackagesTests
{
    private const string Transport = "MassTransit.RabbitMqTransport";

    [Theory]
    [InlineData("8.4.0", false)]
    [InlineData("8.5.10", false)]
    [InlineData("8.5.11", true)]
    [InlineData("8.99.0", true)]
    [InlineData("9.0.0", false)]
    [InlineData("9.2.6", false)]
    public void A_version_is_in_the_range_or_is_named_with_what_is_wanted(string found, bool supported)
    {
        var finding = SupportedPackages.Finding("MassTransit", Version.Parse(found), "[8.5.11, 9.0.0)");

        finding.ShouldBe(supported ? null : $"Found MassTransit {found}, wanted 8.5.11 or later, but below 9.0.0: type 'dotnet add package MassTransit --version 8.5.11'.");
    }

    [Fact]
    public void What_is_loaded_here_is_supported() => Should.NotThrow(SupportedPackages.Check);

    [Fact]
    public void Beside_MassTransit_9_the_registration_says_found_and_wanted_before_any_changed_type_is_touched()
    {
        var beside9 = new Beside(new Version(9, 2, 6, 0));
        try
        {
            var library = beside9.LoadFromAssemblyPath(typeof(GradientRetryConfigurationExtensions).Assembly.Location);
            var register = library.GetType(typeof(GradientRetryConfigurationExtensions).FullName!)!.GetMethods()
                .Single(method => method is { Name: nameof(GradientRetryConfigurationExtensions.AddGradientRetry), IsGenericMethod: false });

            Exception? failure = null;
            new ServiceCollection().AddMassTransit(x => failure = Should.Throw<TargetInvocationException>(() => register.Invoke(null, [x, null])).InnerException);

            failure.ShouldBeOfType<NotSupportedException>().Message.ShouldBe(
                "Retry.Messaging.MassTransit cannot work beside what is loaded. Found MassTransit.RabbitMQ 9.2.6, wanted 8.5.11 or later, but below 9.0.0: " +
                "type 'dotnet add package MassTransit.RabbitMQ --version 8.5.11'.");
        }
        finally
        {
            beside9.Unload();
        }
    }

    /// <summary>Loads our library beside a transport of another version that has nothing in it.</summary>
    private sealed class Beside(Version version) : AssemblyLoadContext("beside another MassTransit", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (assemblyName.Name != Transport)
            {
                return null;
            }

            var transport = new PersistedAssemblyBuilder(new AssemblyName(Transport) { Version = version }, typeof(object).Assembly);
            transport.DefineDynamicModule(Transport);
            using var bytes = new MemoryStream();
            transport.Save(bytes);
            bytes.Position = 0;
            return LoadFromStream(bytes);
        }
    }
}
