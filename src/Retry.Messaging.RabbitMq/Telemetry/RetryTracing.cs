using System.Diagnostics;
using System.Text;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Retry.Messaging.Wire;

namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>The spans of the activity source <c>Retry.Messaging</c>, and what keeps a message in one trace.</summary>
/// <remarks>
/// MassTransit makes the spans of sending, receiving and consuming, and finds a delivery's trace in the header MT-Activity-Id, which
/// a republished message keeps as it was sent: all its attempts are children of the span that sent it. A message that was sent without a trace gets that
/// header with its first outcome, so that its later attempts are in the trace of the first. No body, no header and no error text becomes an attribute.
/// </remarks>
internal static class RetryTracing
{
    private const string System = "rabbitmq";
    private const string Send = "send";
    private const string MassTransit = "MassTransit";
    private const string TraceParent = "traceparent";

    private static readonly ActivitySource Source = new(TelemetryNames.ActivitySource, LibraryVersion.Text);

    /// <summary>A message goes up the ladder.</summary>
    public static Activity? StartRetry(string queue, int attempt, string? id, TimeSpan delay, ClimbCause cause) =>
        Start("retry", queue, default, null)
            ?.SetTag(TelemetryNames.Attributes.Attempt, attempt)
            .SetTag(TelemetryNames.Attributes.Id, id)
            .SetTag(TelemetryNames.Attributes.Delay, delay.TotalSeconds)
            .SetTag(TelemetryNames.Attributes.Reason, cause.Name)
            .SetTag(TelemetryNames.Attributes.ExceptionType, cause.ErrorType);

    /// <summary>A message goes to its parking lot.</summary>
    public static Activity? StartPark(string queue, int attempt, RetryState parked, string reason, Exception exception) =>
        Start("park", queue, default, null)
            ?.SetTag(TelemetryNames.Attributes.Attempt, attempt)
            .SetTag(TelemetryNames.Attributes.Id, parked.Id)
            .SetTag(TelemetryNames.Attributes.Reason, reason)
            .SetTag(TelemetryNames.Attributes.ExceptionType, exception.GetType().FullName);

    /// <summary>A parked or lost message goes back: in its own trace, linked to the trace of the operator's command.</summary>
    /// <param name="queue">The message's work queue.</param>
    /// <param name="headers">Its headers, as they are on the broker.</param>
    /// <param name="id">Its id.</param>
    /// <param name="reason">Why it is where it is.</param>
    /// <param name="replayed">How often it has been replayed, with this time.</param>
    /// <param name="plan">The plan that replays it.</param>
    public static Activity? StartReplay(string queue, IDictionary<string, object?>? headers, string? id, string reason, int replayed, string plan) =>
        Source.HasListeners()
            ? Start("replay", queue, ParentOf(headers), Activity.Current)
                ?.SetTag(TelemetryNames.Attributes.Id, id)
                .SetTag(TelemetryNames.Attributes.Reason, reason)
                .SetTag(TelemetryNames.Attributes.Replayed, replayed)
                .SetTag(TelemetryNames.Attributes.Plan, plan)
            : null;

    /// <summary>Tells where on the ladder the message of the current span enters.</summary>
    public static void TagEntry(LadderRoute route)
    {
        if (Activity.Current is { IsAllDataRequested: true } span && span.Source == Source)
        {
            span.SetTag(TelemetryNames.Attributes.Entry, route.Exchange)
                .SetTag(TelemetryNames.Attributes.Delay, route.Delay.TotalSeconds)
                .SetTag(TelemetryNames.Attributes.RoutingKey, route.RoutingKey);
        }
    }

    /// <summary>Tells MassTransit's span of the delivery which attempt it is.</summary>
    public static void TagAttempt(int attempt)
    {
        if (Activity.Current is { IsAllDataRequested: true } span && span.Source.Name == MassTransit)
        {
            span.SetTag(TelemetryNames.Attributes.Attempt, attempt);
        }
    }

    /// <summary>Puts the current trace on a message that has none.</summary>
    public static void Propagate(IDictionary<string, object?> headers)
    {
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id })
        {
            headers.TryAdd(MassTransitHeaderNames.ActivityId, id);
        }
    }

    /// <summary>Marks a span as failed.</summary>
    public static void Fail(this Activity? span, Exception exception) =>
        span?.SetStatus(ActivityStatusCode.Error).SetTag(TelemetryNames.Attributes.ErrorType, exception.GetType().FullName);

    private static Activity? Start(string operation, string queue, ActivityContext parent, Activity? linked)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        // without a trace of its own, the message's is the caller's
        var isLinked = linked is { IdFormat: ActivityIdFormat.W3C } && parent != default && linked.TraceId != parent.TraceId;
        return Source.StartActivity($"{operation} {queue}", ActivityKind.Producer, parent, links: isLinked ? [new ActivityLink(linked!.Context)] : null)
            ?.SetTag(TelemetryNames.Attributes.System, System)
            .SetTag(TelemetryNames.Attributes.OperationName, operation)
            .SetTag(TelemetryNames.Attributes.OperationType, Send)
            .SetTag(TelemetryNames.Attributes.Destination, queue);
    }

    private static ActivityContext ParentOf(IDictionary<string, object?>? headers) =>
        ActivityContext.TryParse(Text(headers, MassTransitHeaderNames.ActivityId) ?? Text(headers, TraceParent), null, isRemote: true, out var parent)
            ? parent
            : default;

    private static string? Text(IDictionary<string, object?>? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var value)
            ? value switch
            {
                string text => text,
                byte[] bytes => Encoding.UTF8.GetString(bytes),
                _ => null,
            }
            : null;
}
