using Retry.Messaging.RabbitMq.Counting;
using Retry.Messaging.RabbitMq.Pulse;

namespace Retry.Messaging.Operations.Delayed;

/// <summary>What a process has reported of what it sent up the ladder.</summary>
/// <param name="node">The process.</param>
internal sealed class ReportedNode(string node)
{
    private readonly Dictionary<string, ClimbBook> _books = new(StringComparer.Ordinal);

    /// <summary>The process.</summary>
    public string Node => node;

    /// <summary>The instances that it is or was.</summary>
    public IReadOnlyList<string> Instances { get; private set; } = [];

    /// <summary>When it reported last, by its clock.</summary>
    public DateTimeOffset ReportedAt { get; private set; }

    /// <summary>Whether it has said that it stops, and nothing since.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>What it sent, by work queue.</summary>
    public IReadOnlyDictionary<string, ClimbBook> Books => _books;

    /// <summary>Takes in a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="at">When it was made, by the process's clock.</param>
    /// <param name="now">What has left the ladder by now is passed over.</param>
    public void Read(ClimbReport report, DateTimeOffset at, DateTimeOffset now)
    {
        (Instances, ReportedAt, HasEnded) = (report.Instances, at, report.IsLast);
        foreach (var (queue, delays) in report.Points)
        {
            if (!_books.TryGetValue(queue, out var book))
            {
                _books[queue] = book = new ClimbBook();
            }

            foreach (var sent in delays ?? [])
            {
                if (sent?.Time() is { } delay)
                {
                    foreach (var run in sent.Read().Where(run => run.Last + delay > now))
                    {
                        book.Add(delay, run);
                    }
                }
            }
        }
    }

    /// <summary>Whether messages that this process sent and did not report may still be in a rung. One that has ended has reported all.</summary>
    public bool MayHaveMoreIn(string queue, int level, int digit, DateTimeOffset now) =>
        !HasEnded && _books.TryGetValue(queue, out var book) && now < ReportedAt + (2 * ClimbReport.Interval) + book.Reach(level, digit);
}
