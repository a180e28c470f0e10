using Payments.Running;
using Payments.Service;
using Payments.Shop;

namespace Payments.Audit;

/// <summary>What the producer and the consumer wrote down.</summary>
internal sealed class Books(Run run)
{
    /// <summary>How many of the last errors are kept.</summary>
    public const int ErrorsKept = 5;

    private readonly LineReader _publishedFile = new(run.PublishedFile);
    private readonly LineReader _attemptsFile = new(run.AttemptsFile);
    private readonly Dictionary<string, int> _lastAttempt = [];
    private readonly List<TimeSpan> _lateness = [];
    private readonly Queue<Attempt> _lastErrors = new();

    public HashSet<string> Published { get; } = [];

    public HashSet<string> Done { get; } = [];

    public HashSet<string> DoneAgain { get; } = [];

    /// <summary>The number of the last attempt of each payment.</summary>
    public IReadOnlyDictionary<string, int> LastAttempt => _lastAttempt;

    /// <summary>How long after its due time each retry began; less than zero is early.</summary>
    public IReadOnlyList<TimeSpan> Lateness => _lateness;

    /// <summary>The attempts that failed last, oldest first.</summary>
    public IEnumerable<Attempt> LastErrors => _lastErrors;

    public int Attempts { get; private set; }

    public bool ProducerHasEnded { get; private set; }

    /// <summary>Reads what was added since the last call.</summary>
    public void Update()
    {
        // The consumer's side first: what it has seen was published before.
        foreach (var line in _attemptsFile.ReadNew())
        {
            Enter(Attempt.Parse(line));
        }

        foreach (var line in _publishedFile.ReadNew())
        {
            ProducerHasEnded |= line == ChargeProducer.End;
            if (line != ChargeProducer.End)
            {
                Published.Add(line);
            }
        }
    }

    private void Enter(Attempt attempt)
    {
        Attempts++;
        _lastAttempt[attempt.PaymentId] = Math.Max(attempt.Number, _lastAttempt.GetValueOrDefault(attempt.PaymentId));
        if (attempt.DueAt is { } due)
        {
            _lateness.Add(attempt.At - due);
        }

        if (attempt.Outcome != Attempt.Done)
        {
            _lastErrors.Enqueue(attempt);
            if (_lastErrors.Count > ErrorsKept)
            {
                _lastErrors.Dequeue();
            }
        }
        else if (!Done.Add(attempt.PaymentId))
        {
            DoneAgain.Add(attempt.PaymentId);
        }
    }
}
