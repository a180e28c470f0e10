using Microsoft.Extensions.Configuration;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>What appsettings say: the section <c>GradientRetry</c> with <c>ManageTopology</c>, <c>ConsumerTimeout</c>, <c>Management</c>,
/// <c>ForwardLostFor</c>, <c>Build</c>, <c>Defaults</c> and <c>Endpoints:{name}</c>.</summary>
/// <remarks>
/// Read strictly: unknown keys, types and values are findings with their full path, all of them at once. Keys have no case, as
/// everywhere in configuration, so neither have the names of endpoints here. A null value says nothing.
/// </remarks>
internal sealed class GradientRetryConfiguration
{
    /// <summary>The name of the section.</summary>
    internal const string SectionName = "GradientRetry";

    private const string QueueKey = "Queue";

    private readonly Dictionary<string, RetryPointSettings> _endpoints = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<RetryFinding> _findings = [];

    private GradientRetryConfiguration()
    {
    }

    /// <summary>Gets what to do about the ladder at start-up, or null where nothing is said.</summary>
    internal TopologyManagement? ManageTopology { get; private set; }

    /// <summary>Gets what is said about the bus as a whole.</summary>
    internal BusSettings Bus { get; } = new();

    /// <summary>Gets the lowest layer of every endpoint, right above <see cref="RetryDefaults"/>.</summary>
    internal RetryPointSettings Defaults { get; private set; } = new();

    /// <summary>Gets the highest layer of the endpoints that are named.</summary>
    internal IReadOnlyDictionary<string, RetryPointSettings> Endpoints => _endpoints;

    /// <summary>Gets everything that is wrong with the section.</summary>
    internal IReadOnlyList<RetryFinding> Findings => _findings;

    /// <summary>Reads the section; one that is not there says nothing.</summary>
    internal static GradientRetryConfiguration Read(IConfigurationSection? section)
    {
        var result = new GradientRetryConfiguration();
        if (section is null)
        {
            return result;
        }

        var reader = new SettingsSectionReader();
        reader.ReadKeys(section, new()
        {
            ["ManageTopology"] = at => result.ManageTopology = reader.OneOf(at, Enum.GetValues<TopologyManagement>()),
            ["ConsumerTimeout"] = at => result.Bus.ConsumerTimeout = reader.Duration(at),
            ["Management"] = at => result.Bus.Management = reader.Text(at),
            ["ForwardLostFor"] = at => result.Bus.ForwardLostFor = reader.Duration(at),
            ["Build"] = at => result.Bus.Build = reader.Text(at),
            ["Defaults"] = at => result.Defaults = result.ReadPoint(reader, at),
            ["Endpoints"] = at => reader.ReadKeys(at, at.GetChildren().ToDictionary(
                endpoint => endpoint.Key,
                _ => (Action<IConfigurationSection>)(endpoint => result.AddEndpoint(reader, endpoint)))),
        });
        result._findings.InsertRange(0, [.. reader.Findings, .. result.Bus.Validate(section.Path)]);
        return result;
    }

    /// <summary>Merges all that is said about an endpoint.</summary>
    /// <inheritdoc cref="LayersFor"/>
    internal RetryPointSettings SettingsFor(
        string endpoint,
        RetryPointSettings? code = null,
        RetryPointSettings? definition = null,
        RetryPointSettings? busWide = null) =>
        RetryPointSettings.Merge(LayersFor(endpoint, code, definition, busWide).Select(layer => layer.Settings));

    /// <summary>All that is said about an endpoint, highest first. This is the order of precedence.</summary>
    /// <param name="endpoint">The name of the queue.</param>
    /// <param name="code">What UseGradientRetry on the endpoint said.</param>
    /// <param name="definition">What the definition of its consumer said.</param>
    /// <param name="busWide">What AddGradientRetry said.</param>
    /// <param name="operators">What operators have set while the service runs.</param>
    /// <remarks>Defaults stand below code for the whole bus, as their name says: they fill what no other layer has filled.</remarks>
    internal IReadOnlyList<(string Name, RetryPointSettings Settings)> LayersFor(
        string endpoint,
        RetryPointSettings? code = null,
        RetryPointSettings? definition = null,
        RetryPointSettings? busWide = null,
        RetryPointSettings? operators = null)
    {
        (string Name, RetryPointSettings? Settings)[] highestFirst =
        [
            ("operator", operators),
            ("appsettings", _endpoints.GetValueOrDefault(endpoint)),
            ("code", code),
            ("definition", definition),
            ("AddGradientRetry", busWide),
            ("appsettings Defaults", Defaults),
        ];
        return [.. highestFirst.Where(layer => layer.Settings is not null).Select(layer => (layer.Name, layer.Settings!))];
    }

    /// <summary>Whether a finding about merged settings is one of <see cref="Findings"/>, seen through the endpoint.</summary>
    /// <param name="merged">The finding.</param>
    /// <param name="endpoint">The name of the queue, with which its path begins.</param>
    internal bool Says(RetryFinding merged, string endpoint) =>
        _findings.Any(finding => finding.Message == merged.Message && finding.Path.EndsWith(merged.Path[endpoint.Length..], StringComparison.Ordinal));

    // in a key a colon separates sections, so a queue with one in its name is named by a value
    private void AddEndpoint(SettingsSectionReader reader, IConfigurationSection endpoint)
    {
        var queue = endpoint.Key;
        var settings = ReadPoint(reader, endpoint, name => queue = name);
        if (!_endpoints.TryAdd(queue, settings))
        {
            _findings.Add(new RetryFinding(
                endpoint.Path,
                $"found settings of the queue '{queue}' a second time, wanted once: a section's name or its {QueueKey} names the queue"));
        }
    }

    private RetryPointSettings ReadPoint(SettingsSectionReader reader, IConfigurationSection section, Action<string>? named = null)
    {
        var settings = reader.ReadPoint(section, named is null ? [] : new() { [QueueKey] = at => named(reader.Text(at) ?? section.Key) });
        _findings.AddRange(RetrySettingsValidator.ValidateLayer(settings, section.Path));
        return settings;
    }
}
