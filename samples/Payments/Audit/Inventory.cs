namespace Payments.Audit;

/// <summary>What lay in the queues at the end.</summary>
internal sealed class Inventory(string parkedQueue)
{
    private readonly Dictionary<string, int> _reasons = [];
    private readonly Dictionary<string, int> _waitingIn = [];

    public HashSet<string> Parked { get; } = [];

    public HashSet<string> Waiting { get; } = [];

    public IReadOnlyDictionary<string, int> Reasons => _reasons;

    public IReadOnlyDictionary<string, int> WaitingIn => _waitingIn;

    public int Messages { get; private set; }

    public void Enter(HeldMessage message)
    {
        Messages++;
        if (message.Queue == parkedQueue)
        {
            Parked.Add(message.PaymentId);
            Count(_reasons, message.Reason ?? "no reason");
        }
        else
        {
            Waiting.Add(message.PaymentId);
            Count(_waitingIn, message.Queue);
        }
    }

    private static void Count(Dictionary<string, int> counts, string key) => counts[key] = counts.GetValueOrDefault(key) + 1;
}
