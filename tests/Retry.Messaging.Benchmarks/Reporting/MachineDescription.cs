using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Retry.Messaging.Benchmarks.Measuring;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>Where and with what something was measured.</summary>
/// <param name="Date">The day.</param>
/// <param name="Processor">The processor and how many cores of it.</param>
/// <param name="System">The operating system.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="Broker">The broker's version.</param>
/// <param name="Client">The version of RabbitMQ.Client.</param>
/// <param name="MassTransit">The version of MassTransit.</param>
internal sealed record MachineDescription(DateOnly Date, string Processor, string System, string Runtime, string Broker, string Client, string MassTransit)
{
    public static MachineDescription Now(string broker) => new(
        DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime),
        $"{ProcessorName()}, {Environment.ProcessorCount} cores",
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        broker,
        VersionOf(typeof(RabbitMQ.Client.IConnection)),
        VersionOf(typeof(global::MassTransit.IBus)));

    /// <summary>One line for below a table.</summary>
    /// <param name="rounds">How many rounds were measured.</param>
    /// <param name="others">The share of the machine that others used meanwhile, in percent: figures taken beside much else are worth less.</param>
    public string Line(int rounds, Figure? others) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Date:yyyy-MM-dd}, {Processor}, {Runtime}, RabbitMQ {Broker}, RabbitMQ.Client {Client}, MassTransit {MassTransit}; medians of {rounds} rounds (lowest–highest){(others is null ? string.Empty : $"; other processes used {others.Median:0} % of the machine meanwhile, at most {others.Max:0} %")}.");

    private static string ProcessorName()
    {
        try
        {
            return File.ReadLines("/proc/cpuinfo").Where(line => line.StartsWith("model name", StringComparison.Ordinal)).Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]).FirstOrDefault("unknown processor");
        }
        catch (IOException)
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }
    }

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? type.Assembly.GetName().Version!.ToString();
}
