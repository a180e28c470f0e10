using Retry.Messaging.Decisions;
using Retry.Messaging.RabbitMq.Attempts;

namespace Retry.Messaging.Tests.Attempts;

/// <summary>A delivery without a broker: what becomes of it is written down.</summary>
internal sealed class RecordedDelivery(List<string> steps) : RetryDelivery
{
    /// <summary>What is known of the process that had it before.</summary>
    public bool? Died { get; init; } = false;

    /// <summary>What the broker's clock says of its way.</summary>
    public DateTimeOffset? LeftAt { get; init; }

    /// <summary>How it was sent up the ladder last.</summary>
    public RetryDecision.Again? Climbed { get; private set; }

    public override DateTimeOffset? LeftLadderAt => LeftAt;

    public override Task<bool?> HasSomebodyDiedAsync(CancellationToken cancellationToken) => Task.FromResult(Died);

    public override Task HoldAsync(Func<Task> step, CancellationToken cancellationToken) => step();

    protected override string FirstId() => "1";

    protected override Task SendUpAsync(RetryDecision.Again again, CancellationToken cancellationToken)
    {
        Climbed = again;
        return DoneAsync("climbs");
    }

    protected override Task SendToParkingLotAsync(RetryDecision.Park park, FaultDetails fault, CancellationToken cancellationToken) => DoneAsync("parked");

    private Task DoneAsync(string step)
    {
        steps.Add(step);
        return Task.CompletedTask;
    }
}
