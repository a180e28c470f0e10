using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Carries out a plan.</summary>
/// <remarks>
/// <list type="number">
/// <item>Whoever works on the queue's messages is waited for. What another plan left unfinished ends it here.</item>
/// <item>The set is read, or comes from a preview, and is written down. From now on the queue is reserved in the broker.</item>
/// <item>Block by block: what is about to be moved is written down, then moved.</item>
/// <item>The end is written down, and the journal deleted. Killed before, the plan stays open, and whoever resumes it moves the rest.</item>
/// </list>
/// Lock, reading, journal and copies share one connection, so a process that wakes up when it was given up can do nothing more.
/// </remarks>
internal sealed class PlanRun(IConnection connection, LotSource source, string queue, TimeProvider time)
{
    // more would not fit into the document: then all that was ever announced counts as doubtful
    private const int MostDoubtfulPlaces = 2000;

    /// <summary>Makes a plan and carries it out; or goes on with the one that has its id.</summary>
    /// <param name="order">What is to be done.</param>
    /// <param name="request">With which messages; what is resumed knows its own.</param>
    /// <param name="prepare">Finds where the messages go, before anything is reserved, and gives what moves one.</param>
    /// <param name="progress">Told now and then how far it is.</param>
    /// <param name="cancellationToken">Ends it in good order.</param>
    /// <exception cref="ParkingException">Another plan was left unfinished, or this one cannot go on.</exception>
    public async IAsyncEnumerable<ParkedMessage> RunAsync(
        PlanOrder order,
        LotRequest request,
        Func<PlanTerms, CancellationToken, Task<Func<LotDelivery, Task<bool>>>> prepare,
        IProgress<ParkingProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var door = await PlanDoor.EnterAsync(connection, queue, order, time, cancellationToken).ConfigureAwait(false);
        await using var doorEnds = door.ConfigureAwait(false);
        if (order.IsMadeOnce && door.Book.Plans.FirstOrDefault(plan => plan.Id == order.Id) is { } made)
        {
            order.Begins?.Invoke(made);
            yield break;
        }

        var journal = new PlanJournal(connection, order.Id, time);
        await using var journalEnds = journal.ConfigureAwait(false);
        var move = await prepare(door.Book.Open?.Terms ?? order.Terms, cancellationToken).ConfigureAwait(false);
        var begun = door.Book.Open is { } open
            ? await ResumeAsync(door, journal, open, order, cancellationToken).ConfigureAwait(false)
            : await BeginAsync(door, journal, order, request, progress, cancellationToken).ConfigureAwait(false);
        if (begun is not ({ } plan, { } set))
        {
            yield break;
        }

        order.Begins?.Invoke(plan);
        if (order.Detaches)
        {
            yield break;
        }

        var moving = 0;
        var lot = new LotMove(connection, source, time, Random.Shared)
        {
            Pace = plan.Terms.PerSecond is { } perSecond ? new MovePace(perSecond, time) : null,
            // what is not sent need not be announced: done again, it is done once
            Announce = plan.Keys is null && plan.Terms.Action != PlanAction.Discard
                ? block => journal.AnnounceAsync(plan.Run, block.Select(delivery => delivery.Message!.Place!.Value))
                : null,
        };
        request = request with { Filter = ParkedFilter.All, Of = set };
        var moves = lot.RunAsync(request, MoveAsync, progress, cancellationToken).GetAsyncEnumerator(CancellationToken.None);
        var end = PlanState.Stopped;
        try
        {
            while (await NextAsync().ConfigureAwait(false))
            {
                yield return moves.Current;
            }

            end = PlanState.Done;
        }
        finally
        {
            // however it ends, what is on its way comes to its end first
            await moves.DisposeAsync().ConfigureAwait(false);
            var isClear = Volatile.Read(ref moving) == set.Keys.Length - set.Count;
            await EndAsync(door, plan with { State = isClear ? end : PlanState.Running }, set, order).ConfigureAwait(false);
        }

        Task<bool> MoveAsync(LotDelivery delivery)
        {
            Interlocked.Increment(ref moving);
            delivery.Message!.Body = journal.Body ?? delivery.Message.Body;
            return move(delivery);
        }

        async ValueTask<bool> NextAsync()
        {
            try
            {
                return await moves.MoveNextAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // what has become of the last messages is not known
                end = PlanState.Running;
                throw;
            }
        }
    }

    private async Task<(Plan Plan, LotSet Set)?> BeginAsync(
        PlanDoor door,
        PlanJournal journal,
        PlanOrder order,
        LotRequest request,
        IProgress<ParkingProgress>? progress,
        CancellationToken cancellationToken)
    {
        var kept = new KeptBack(order.TakesDoubtful ? null : door.Book);
        var lot = new LotMove(connection, source, time, Random.Shared);
        request = request with { Except = kept.Keeps };
        var set = request.Filter.Shown ?? await lot.ReadAsync(request, progress, cancellationToken).ConfigureAwait(false);
        if (kept.Count > 0)
        {
            order.KeepsBack?.Invoke(kept.Count);
        }

        if (set.Count == 0)
        {
            return null;
        }

        var terms = order.Terms with { IsUnattended = order.Detaches || !order.StaysOpen };
        var plan = new Plan(order.Id, terms, queue, order.By, time.GetUtcNow())
        {
            Count = set.Count,
            Hash = set.Hash,
            Groups = set.Reasons,
        };
        if (set.Count <= Math.Min(LotMover.LargestBlock, order.Terms.PerSecond ?? LotMover.LargestBlock) && order.Body is null)
        {
            plan = plan with { Keys = PlanBook.ToBytes(set.Keys.Span) };
        }
        else
        {
            await door.WriteAsync(plan, cancellationToken).ConfigureAwait(false);
            await journal.WriteSetAsync(set, order.Body, cancellationToken).ConfigureAwait(false);
        }

        plan = order.Detaches ? plan with { State = PlanState.Stopped, CleanRun = plan.Run } : plan with { State = PlanState.Running };
        await door.WriteAsync(plan, cancellationToken).ConfigureAwait(false);
        return (plan, set);
    }

    private async Task<(Plan Plan, LotSet Set)?> ResumeAsync(PlanDoor door, PlanJournal journal, Plan open, PlanOrder order, CancellationToken cancellationToken)
    {
        var set = await PlanSet.ReadAsync(open, journal, cancellationToken).ConfigureAwait(false);
        var plan = open with
        {
            State = PlanState.Running,
            Run = open.Run + 1,
            RunBy = order.By,
            RunAt = time.GetUtcNow(),
            WantedBy = null,
            Terms = open.Terms with { PerSecond = order.Terms.PerSecond ?? open.Terms.PerSecond },
        };
        await door.WriteAsync(plan, cancellationToken).ConfigureAwait(false);
        return (plan, set);
    }

    private async Task EndAsync(PlanDoor door, Plan plan, LotSet set, PlanOrder order)
    {
        var doubtful = set.Doubtful();
        var settled = set.Keys.Length - set.Count;
        plan = plan with { RunAt = time.GetUtcNow(), Terms = order.IsAskedFor?.Invoke() == true ? plan.Terms with { IsUnattended = false } : plan.Terms };
        try
        {
            if (plan.State == PlanState.Done)
            {
                // what an earlier run had announced and this one did not meet is gone
                await door.CloseAsync(plan with { Moved = Math.Min(plan.Moved + settled + doubtful.Count, plan.Count) }, []).ConfigureAwait(false);
            }
            else if (plan.State == PlanState.Stopped && !order.StaysOpen && plan.Run == 1)
            {
                await door.CloseAsync(plan with { State = PlanState.Cancelled, Moved = settled }, []).ConfigureAwait(false);
            }
            else if (plan.State == PlanState.Stopped)
            {
                plan = plan with { Moved = plan.Moved + settled };
                await door.WriteAsync(
                    doubtful.Count <= MostDoubtfulPlaces ? plan with { CleanRun = plan.Run, Doubtful = doubtful } : plan,
                    CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (plan.State != PlanState.Done && (exception is ParkingException || BrokerFailures.IsGoneOrSilent(exception)))
        {
            // the plan stays open, as if this process had been killed; why it ended is on its way to the caller
        }
    }
}
