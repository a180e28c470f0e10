using System.Runtime.CompilerServices;
using MassTransit;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit.Idempotency;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>What has been said about retries on one endpoint, until the endpoint is complete.</summary>
/// <remarks>Keyed by the configurator itself: reading its address would freeze its settings.</remarks>
internal sealed class EndpointLayers
{
    private static readonly ConditionalWeakTable<IReceiveEndpointConfigurator, EndpointLayers> Known = [];

    /// <summary>From code on the endpoint.</summary>
    public RetryPointSettings? Code { get; private set; }

    /// <summary>From a consumer, saga or activity definition.</summary>
    public RetryPointSettings? Definition { get; private set; }

    /// <summary>Whether the endpoint was told to stay as it is.</summary>
    public bool Disabled { get; set; }

    /// <summary>How its consumers recognize duplicates; <see langword="null"/> where they do not.</summary>
    public IdempotencySettings? Idempotency { get; set; }

    /// <summary>Why the endpoint cannot stay as it is, though it was told to; or <see langword="null"/>.</summary>
    public string? WhyNotDisabled => Idempotency is null
        ? null
        : "found UseIdempotency and DisableGradientRetry on one endpoint, wanted a retry point: a message whose key is in progress elsewhere waits on the ladder. Remove one of the two.";

    /// <summary>Whether the endpoint itself asked for retries, or for what needs them.</summary>
    public bool IsExplicit => Code is not null || Definition is not null || Idempotency is not null;

    public static EndpointLayers Of(IReceiveEndpointConfigurator endpoint) => Known.GetValue(endpoint, static _ => new EndpointLayers());

    /// <summary>Adds settings; where two calls set the same thing, the later call wins.</summary>
    public void Add(Action<RetryPointBuilder>? configure)
    {
        var builder = new RetryPointBuilder();
        configure?.Invoke(builder);
        var settings = builder.Settings;
        if (configure is not null && IsFromDefinition(configure))
        {
            Definition = Definition is null ? settings : RetryPointSettings.Merge([settings, Definition]);
        }
        else
        {
            Code = Code is null ? settings : RetryPointSettings.Merge([settings, Code]);
        }
    }

    // A definition is handed the same configurator as the code on the endpoint. What tells them apart is where the
    // callback was written: in a class that is a definition, or in one that the compiler nested in it for a lambda.
    private static bool IsFromDefinition(Delegate configure)
    {
        for (var type = configure.Method.DeclaringType; type is not null; type = type.DeclaringType)
        {
            if (typeof(IDefinition).IsAssignableFrom(type))
            {
                return true;
            }
        }

        return false;
    }
}
