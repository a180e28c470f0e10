using Payments.Service;

namespace Payments.Audit;

/// <summary>A line for each look: for files, pipes and continuous integration.</summary>
internal sealed class PlainView : IProgressView
{
    public PlainView() => Console.WriteLine($"   time  published      done  in queue  on ladder    parked  attempts/s  retries/s (limited to {PaymentService.RetriesPerSecond})");

    public void Show(Moment moment, IReadOnlyDictionary<string, int> rungs, IEnumerable<Attempt> lastErrors)
    {
        var now = moment.Now;
        Console.WriteLine($"{moment.Elapsed.TotalSeconds,5:0} s {now.Published,10} {now.Done,9} {now.InQueue,9} {now.InLadder,10} {now.Parked,9} {moment.AttemptsPerSecond,11:0} {moment.RetriesPerSecond,10:0}");
    }

    public void Say(string line) => Console.WriteLine(line);
}
