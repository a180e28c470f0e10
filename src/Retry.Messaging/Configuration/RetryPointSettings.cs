using Retry.Messaging.Outcomes;
using Retry.Messaging.Policies;

namespace Retry.Messaging.Configuration;

/// <summary>One layer's say about a retry point, or about one message type in it. Null means that the layer says nothing.</summary>
internal sealed class RetryPointSettings
{
    internal PolicySettings Policy { get; init; } = new();

    internal TimeSpan? ValidFor { get; set; }

    internal TimeSpan? AttemptTimeout { get; set; }

    internal string? Tenant { get; set; }

    internal double? LimitPerSecond { get; set; }

    internal int? LimitBurst { get; set; }

    internal bool? Isolated { get; set; }

    internal TimeSpan? ReleasableWithin { get; set; }

    internal RetrySwitch? Switch { get; set; }

    internal double? DeliveriesPerSecond { get; set; }

    internal int? DeliveryBurst { get; set; }

    internal double? BudgetShare { get; set; }

    internal double? BudgetFloor { get; set; }

    internal bool? Breaker { get; set; }

    internal TimeSpan? BreakerInterval { get; set; }

    /// <summary>In the order of registration: the later wins among those for one type.</summary>
    internal List<OutcomeRule> Rules { get; init; } = [];

    internal List<(Type ExceptionType, Func<Exception, TimeSpan?> Selector)> RetryAfter { get; init; } = [];

    internal List<(Type ExceptionType, PolicySettings Policy)> ExceptionPolicies { get; init; } = [];

    /// <summary>Errors that say nothing of the target.</summary>
    internal List<OutcomeRule> NotOfTarget { get; init; } = [];

    internal List<(Type MessageType, RetryPointSettings Settings)> Messages { get; init; } = [];

    /// <summary>Merges layers into one.</summary>
    /// <remarks>
    /// The layers of an endpoint, highest first: appsettings <c>Endpoints:{name}</c>, code on the endpoint, its definition, code for
    /// the whole bus, appsettings <c>Defaults</c>. <see cref="RetryDefaults"/> stand below them all. Each setting comes from the
    /// highest layer that has it, except:
    /// <list type="bullet">
    /// <item>First, Factor, Increment, Delay, Intervals and Max belong to a kind of policy. A layer that names another kind starts
    /// without those of lower layers; a layer that names none changes those of the kind below it.</item>
    /// <item>A kind that brings a number of retries, Intervals and Immediate(n), hides the number of lower layers.</item>
    /// <item>Rules for exceptions, policies for exceptions and for messages are put together, lower layers first, so that of
    /// two for the same type the higher layer's wins; a more derived type wins over both.</item>
    /// </list>
    /// Give all layers in one call: a layer without a kind takes the kind below it, which has to be there.
    /// </remarks>
    internal static RetryPointSettings Merge(IEnumerable<RetryPointSettings> highestFirst)
    {
        ArgumentNullException.ThrowIfNull(highestFirst);
        RetryPointSettings[] layers = [.. highestFirst];
        RetryPointSettings[] lowestFirst = [.. layers.Reverse()];
        return new RetryPointSettings
        {
            Policy = PolicySettings.Merge(layers.Select(layer => layer.Policy)),
            ValidFor = Highest(layers, layer => layer.ValidFor),
            AttemptTimeout = Highest(layers, layer => layer.AttemptTimeout),
            Tenant = layers.Select(layer => layer.Tenant).FirstOrDefault(tenant => tenant is not null),
            LimitPerSecond = Highest(layers, layer => layer.LimitPerSecond),
            LimitBurst = Highest(layers, layer => layer.LimitBurst),
            Isolated = Highest(layers, layer => layer.Isolated),
            ReleasableWithin = Highest(layers, layer => layer.ReleasableWithin),
            Switch = Highest(layers, layer => layer.Switch),
            DeliveriesPerSecond = Highest(layers, layer => layer.DeliveriesPerSecond),
            DeliveryBurst = Highest(layers, layer => layer.DeliveryBurst),
            BudgetShare = Highest(layers, layer => layer.BudgetShare),
            BudgetFloor = Highest(layers, layer => layer.BudgetFloor),
            Breaker = Highest(layers, layer => layer.Breaker),
            BreakerInterval = Highest(layers, layer => layer.BreakerInterval),
            Rules = [.. lowestFirst.SelectMany(layer => layer.Rules)],
            RetryAfter = [.. lowestFirst.SelectMany(layer => layer.RetryAfter)],
            ExceptionPolicies = [.. lowestFirst.SelectMany(layer => layer.ExceptionPolicies)],
            NotOfTarget = [.. lowestFirst.SelectMany(layer => layer.NotOfTarget)],
            Messages = [.. lowestFirst.SelectMany(layer => layer.Messages)],
        };
    }

    /// <summary>The settings of each message type that has some, over those of the point.</summary>
    internal IEnumerable<(Type MessageType, RetryPointSettings Settings)> MergedMessages() =>
        from message in Messages
        group message.Settings by message.MessageType into layers
        select (layers.Key, Merge(layers.Reverse().Append(this)));

    /// <summary>The policy of each exception type that has one, over the policy of the point.</summary>
    internal IEnumerable<(Type ExceptionType, PolicySettings Policy)> MergedExceptionPolicies() =>
        from policy in ExceptionPolicies
        group policy.Policy by policy.ExceptionType into layers
        select (layers.Key, PolicySettings.Merge(layers.Reverse().Append(Policy)));

    /// <summary>The retry budget that these settings come to.</summary>
    /// <param name="lower">What holds where they say nothing.</param>
    internal RetryBudget? BudgetOver(RetryBudget? lower) => BudgetShare is { } share
        ? new RetryBudget(share, BudgetFloor ?? lower?.FloorPerSecond ?? RetryDefaults.BudgetFloor)
        : lower is not null && BudgetFloor is { } floor ? lower with { FloorPerSecond = floor } : lower;

    private static T? Highest<T>(RetryPointSettings[] layers, Func<RetryPointSettings, T?> setting)
        where T : struct => layers.Select(setting).FirstOrDefault(value => value is not null);
}
