using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Hands a plan over: to a service that carries it out, or back to an operator.</summary>
internal sealed class PlanHandover(IConnection connection, TimeProvider time)
{
    /// <summary>Asks the service that carries out a plan to stop, where one does. Whoever asks then enters by the door.</summary>
    /// <exception cref="ParkingException">It could not be written.</exception>
    public async Task AskForAsync(Plan plan, string by, CancellationToken cancellationToken)
    {
        if (!plan.Terms.IsUnattended)
        {
            return;
        }

        var log = await PlanLog.OpenAsync(connection, declare: false, time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        if (log.BookOf(plan.Queue) is { Open: { } open } book && open.Id == plan.Id)
        {
            await log.WriteAsync(book.With(open with { WantedBy = by }), by, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Leaves a plan that was left unfinished to a service.</summary>
    /// <returns>The plan as it is now.</returns>
    /// <exception cref="ParkingException">It is not open, or could not be written.</exception>
    public async Task<Plan> DetachAsync(Plan plan, PlanOrder order, CancellationToken cancellationToken)
    {
        await AskForAsync(plan, order.By, cancellationToken).ConfigureAwait(false);
        var door = await PlanDoor.EnterAsync(connection, plan.Queue, order, time, cancellationToken).ConfigureAwait(false);
        await using var ends = door.ConfigureAwait(false);
        var open = door.Book.Open!;
        var left = open with
        {
            WantedBy = null,
            Terms = open.Terms with { IsUnattended = true, PerSecond = order.Terms.PerSecond ?? open.Terms.PerSecond },
        };
        await door.WriteAsync(left, cancellationToken).ConfigureAwait(false);
        return left;
    }
}
