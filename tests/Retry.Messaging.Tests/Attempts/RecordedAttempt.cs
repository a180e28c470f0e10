using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>An attempt without a framework: what is asked of it is written down.</summary>
internal sealed class RecordedAttempt(List<string> steps, bool faultCannotBeSent = false, bool consumed = true) : IAttempt
{
    public bool WasConsumed => consumed;

    public void MarkSettled() => steps.Add("settled");

    public Task NotifyEndedAsync()
    {
        steps.Add("ended");
        return Task.CompletedTask;
    }

    public FaultDetails FaultOf(Exception exception) => new NoHeaders(exception);

    public Task SendFaultAsync(Exception exception, RetryState ended, CancellationToken cancellationToken)
    {
        steps.Add("Fault");
        return faultCannotBeSent ? Task.FromException(new NotSupportedException("Cannot be written.")) : Task.CompletedTask;
    }

    public void Dispose()
    {
    }

    private sealed record NoHeaders(Exception Cause) : FaultDetails(Cause)
    {
        public override IEnumerable<KeyValuePair<string, object?>> Headers(DateTimeOffset at, int redeliveries) => [];
    }
}
