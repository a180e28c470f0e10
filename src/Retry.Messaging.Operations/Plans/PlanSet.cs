using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Plans;

/// <summary>Reads the set of a plan that is open, and which of it may have been sent.</summary>
internal static class PlanSet
{
    /// <summary>Reads it.</summary>
    /// <exception cref="ParkingException">The journal cannot be read.</exception>
    public static async Task<LotSet> ReadAsync(Plan plan, PlanJournal journal, CancellationToken cancellationToken)
    {
        var announced = new List<ReadOnlyMemory<int>>();
        LotSet set;
        if (plan.Keys is { } keys)
        {
            set = new LotSet(PlanBook.ToKeys(keys));
            // a plan without a journal is announced as a whole by the document that begins a run
            announced.Add(plan.CleanRun < plan.Run && plan.Terms.Action != PlanAction.Discard ? Enumerable.Range(0, set.Count).ToArray() : []);
        }
        else
        {
            set = await journal.ReadAsync((run, places) => announced.Add(run > plan.CleanRun ? places : default), cancellationToken).ConfigureAwait(false);
        }

        foreach (var place in plan.Doubtful.Concat(announced.SelectMany(places => places.ToArray())))
        {
            set.Announce(place);
        }

        set.EarlierRuns = plan.Run;

        return set;
    }
}
