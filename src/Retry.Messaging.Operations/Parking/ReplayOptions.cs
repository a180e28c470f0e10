using System.Text;
using Retry.Messaging.Configuration;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Operations.Parking;

/// <summary>How parked messages are sent back to work.</summary>
public sealed record ReplayOptions
{
    private const int MaxPlanId = 128;

    /// <summary>Gets or inits the id that every copy carries in <c>retry-plan</c>.</summary>
    /// <value>The default is a new id. At most 128 characters; longer text is cut.</value>
    /// <remarks>
    /// A message that already carries it was replayed by this plan and parked again; it is left where it is. Where a plan of this id
    /// was left unfinished, because its process was killed, the replay goes on with it: with its set, whatever the filter says.
    /// </remarks>
    public string PlanId { get; init; } = NewId();

    /// <summary>Gets or inits how many messages go back in a second at the most.</summary>
    /// <value>The default is <see langword="null"/>: as many as can be.</value>
    /// <remarks>It comes on top of the point's limiter, where there is one.</remarks>
    public double? PerSecond { get; init; }

    /// <summary>Gets or inits the queue that the copies go to.</summary>
    /// <value>The default is <see langword="null"/>: the work queue in whose parking lot they are.</value>
    public string? To { get; init; }

    /// <summary>Gets or inits headers that the copies get beside their own, or instead of those with the same name.</summary>
    /// <value>The default is none.</value>
    /// <remarks>Not those of this library or of the broker. A copy says in <c>retry-changed</c> who changed which.</remarks>
    /// <exception cref="ArgumentException">A name is not allowed.</exception>
    public IReadOnlyDictionary<string, string> SetHeaders
    {
        get;
        init => field = value?.Keys.Select(WhyNotAHeader).FirstOrDefault(why => why is not null) is { } found
            ? throw new ArgumentException($"SetHeaders: {found}", nameof(value))
            : value ?? new Dictionary<string, string>();
    } = new Dictionary<string, string>();

    /// <summary>Who wants it, and what it does at its end; <see langword="null"/> for the defaults of a service.</summary>
    internal PlanOrder? Order { get; init; }

    /// <summary>Told where the messages go, before the first does.</summary>
    internal Action<ReplayDestination>? DestinationFound { get; init; }

    /// <summary>Tells why a header cannot be set; <see langword="null"/> where it can.</summary>
    internal static string? WhyNotAHeader(string name) =>
        name.Length == 0 || Encoding.UTF8.GetByteCount(name) > SettingRange.LongestHeaderName ? $"found a name of {Encoding.UTF8.GetByteCount(name)} bytes, wanted 1 to {SettingRange.LongestHeaderName}."
        : name.StartsWith(RetryHeaderNames.Prefix, StringComparison.Ordinal) ? $"found '{name}', which this library writes. Wanted a header of your own."
        : Republication.IsBrokers(name) ? $"found '{name}', which the broker writes or follows. Wanted a header of your own."
        : null;

    internal static string NewId() => Guid.CreateVersion7().ToString("N");

    internal PlanOrder ToOrder()
    {
        var id = HeaderText.OneLine(PlanId, MaxPlanId);
        var order = Order ?? new PlanOrder(id, new PlanTerms(PlanAction.Replay));
        var terms = order.Terms with { PerSecond = PerSecond, To = To, Headers = SetHeaders, IsEdited = order.Body is not null };
        return order with { Id = id, Terms = terms with { ChangedBy = terms.IsEdited || terms.Headers.Count > 0 ? order.By : null } };
    }
}
