using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>The one door to a queue's messages for whoever moves them: one at a time, and what one has left unfinished keeps the others out.</summary>
internal sealed class PlanDoor : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private readonly IConnection _connection;
    private readonly BrokerLock _lock;
    private readonly PlanLog _log;
    private readonly string _by;

    private PlanDoor(IConnection connection, BrokerLock taken, PlanLog log, PlanBook book, string by) =>
        (_connection, _lock, _log, Book, _by) = (connection, taken, log, book, by);

    /// <summary>The queue's plans, as they were written last.</summary>
    public PlanBook Book { get; private set; }

    /// <summary>Waits for whoever works on the queue's messages, and enters.</summary>
    /// <param name="connection">The connection on which all is read and sent.</param>
    /// <param name="queue">The work queue.</param>
    /// <param name="order">Who enters, and what for.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ParkingException">Another plan was left unfinished, or the plans cannot be read.</exception>
    public static async Task<PlanDoor> EnterAsync(IConnection connection, string queue, PlanOrder order, TimeProvider time, CancellationToken cancellationToken)
    {
        var taken = await LotLock.TryTakeAsync(connection, queue, cancellationToken).ConfigureAwait(false);
        for (string? said = null; taken is null;)
        {
            // the broker tells nobody when a lock is free; the plan that has it says so only when it comes to its end
            var whom = await WhoIsInAsync(connection, queue, time, cancellationToken).ConfigureAwait(false);
            if (whom != said)
            {
                order.Waits?.Invoke(said = whom);
            }

            await Task.Delay(BetweenLooks, time, cancellationToken).ConfigureAwait(false);
            taken = await LotLock.TryTakeAsync(connection, queue, cancellationToken).ConfigureAwait(false);
        }

        PlanDoor? door = null;
        try
        {
            var log = await PlanLog.OpenAsync(connection, declare: true, time, cancellationToken).ConfigureAwait(false);
            door = new PlanDoor(connection, taken, log, log.BookOf(queue), order.By);
            await door.CleanUpAsync(cancellationToken).ConfigureAwait(false);
            return door.Book.Open is { } open && open.Id != order.Id ? throw Reserved(open)
                : order.Resumes && door.Book.Open is null ? throw new ParkingException($"Plan {order.Id} of '{queue}' is not open, so there is nothing to do. See 'retryctl plans show {order.Id}'.")
                : door;
        }
        catch
        {
            IAsyncDisposable entered = door is null ? taken : door;
            await entered.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Writes the open plan.</summary>
    /// <exception cref="ParkingException">It could not be written.</exception>
    public Task WriteAsync(Plan open, CancellationToken cancellationToken) => WriteAsync(Book.With(open), cancellationToken);

    /// <summary>Writes the queue's plans.</summary>
    /// <exception cref="ParkingException">They could not be written.</exception>
    public async Task WriteAsync(PlanBook book, CancellationToken cancellationToken)
    {
        await _log.WriteAsync(book, _by, cancellationToken).ConfigureAwait(false);
        Book = book;
    }

    /// <summary>Ends the open plan, and deletes its journal.</summary>
    /// <param name="plan">The plan as it ended.</param>
    /// <param name="keys">What it may have sent, and is still parked.</param>
    /// <exception cref="ParkingException">It could not be written.</exception>
    public async Task CloseAsync(Plan plan, IReadOnlyCollection<ulong> keys)
    {
        if (plan.Keys is null)
        {
            // the end first: a journal that is gone must not be looked for, and one that is left over is deleted by the next who enters
            await WriteAsync(Book.Without(plan, keys) with { Open = plan, Ended = Book.Ended }, CancellationToken.None).ConfigureAwait(false);
            await PlanJournal.DeleteAsync(_connection, plan.Id, CancellationToken.None).ConfigureAwait(false);
            keys = [];
        }

        await WriteAsync(Book.Without(plan, keys), CancellationToken.None).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _log.DisposeAsync().ConfigureAwait(false);
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    // what was killed while it wrote down its set has moved nothing, and what was killed after its end has nothing left to do
    private async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        if (Book.Open is { } open && (open.IsOver || open.State == PlanState.Preparing))
        {
            await PlanJournal.DeleteAsync(_connection, open.Id, cancellationToken).ConfigureAwait(false);
            await WriteAsync(open.IsOver ? Book.Without(open, []) : Book with { Open = null }, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<string> WhoIsInAsync(IConnection connection, string queue, TimeProvider time, CancellationToken cancellationToken)
    {
        var log = await PlanLog.OpenAsync(connection, declare: false, time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        return log.BookOf(queue).Open is { } open
            ? $"Plan {open.Id} of {open.RunBy} ({Name(open)}) works on the parking lot of '{queue}'. Waiting for its end."
            : $"Somebody else works on the parking lot of '{queue}'. Waiting for the end.";
    }

    private static ParkingException Reserved(Plan open) => new(
        $"Plan {open.Id} of {open.RunBy} ({Name(open)}) was not finished and keeps others from the parking lot of '{open.Queue}'; nothing was moved. 'retryctl plans resume {open.Id}' goes on with it, 'retryctl plans cancel {open.Id}' gives the rest up.");

    private static string Name(Plan plan) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{plan.Terms.Action.ToString().ToLowerInvariant()} of {plan.Count:N0}, {plan.RunAt:yyyy-MM-dd HH:mm:ss}Z");
}
