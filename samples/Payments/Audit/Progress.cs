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
    public bool NothingWaits => InQueue == 0 && InLadder == 0;
}
