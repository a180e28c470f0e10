using Payments.Service;

namespace Payments.Audit;

/// <summary>How far things are at one moment.</summary>
/// <param name="Published">Payments the shop has written down.</param>
/// <param name="Done">Payments done.</param>
/// <param name="InQueue">Messages that wait for the consumer.</param>
/// <param name="InLadder">Messages that wait for their time.</param>
/// <param name="Parked">Messages in the parking lot.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="Retries">Attempts so far that were not the first.</param>
internal sealed record Progress(int Published, int Done, int InQueue, int InLadder, int Parked, int Attempts, int Retries)
{
    public static readonly string Head = $"   time  published      done  in queue  on ladder    parked  attempts/s  retries/s (at most {PaymentService.RetriesPerSecond})";

    public bool NothingWaits => InQueue == 0 && InLadder == 0;

    public string Line(TimeSpan elapsed, Progress before, TimeSpan since) =>
        $"{elapsed.TotalSeconds,5:0} s {Published,10} {Done,9} {InQueue,9} {InLadder,10} {Parked,9} {PerSecond(Attempts - before.Attempts, since),11:0} {PerSecond(Retries - before.Retries, since),10:0}";

    private static double PerSecond(int count, TimeSpan since) => count / Math.Max(since.TotalSeconds, 0.001);
}
