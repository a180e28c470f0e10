using System.Text.Json;
using System.Text.Json.Serialization;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Counting;

namespace Retry.Messaging.RabbitMq.Pulse;

/// <summary>What a process has sent up the ladder since its last report, for those who ask when it is gone.</summary>
/// <param name="Node">The process, by the id that its pulses have.</param>
/// <param name="Instances">The instances that it is, by whose signs of life others see whether it is still there.</param>
/// <param name="Points">What it sent, by work queue.</param>
internal sealed record ClimbReport(string Node, IReadOnlyList<string> Instances, IReadOnlyDictionary<string, IReadOnlyList<ClimbReport.Sent>> Points)
{
    /// <summary>The kind of the record; its key is the node.</summary>
    public const string Kind = "retry.delayed.sent";

    /// <summary>How often a process reports at most. What it sent since then is not known of one that is killed.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>What the stream keeps: nothing climbs for more than ten days.</summary>
    /// <remarks>A report of one delay of one point takes some 300 bytes: this is three days of a process whose point fails every second.</remarks>
    public static readonly StreamRetention Retention = new(MaxBytes: 16 << 20, SegmentBytes: 1 << 20, MaxAge: "10D");

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault };

    /// <summary>Whether the process says no more after it, because it stops: then nothing of it is unreported.</summary>
    public bool IsLast { get; init; }

    /// <summary>Messages with one delay.</summary>
    /// <param name="Delay">The delay, in steps of 100 ms.</param>
    /// <param name="Runs">Three numbers for each run: when its first message was sent, in milliseconds since 1970; after how many
    /// milliseconds its last one was; how many they are.</param>
    public sealed record Sent(long Delay, IReadOnlyList<long> Runs)
    {
        /// <summary>Writes runs.</summary>
        public static Sent Of(TimeSpan delay, IEnumerable<ClimbRun> runs) => new(
            delay.Ticks / DelayLadder.Step.Ticks,
            [.. runs.SelectMany(run => new[] { run.First.ToUnixTimeMilliseconds(), (long)(run.Last - run.First).TotalMilliseconds, run.Count })]);

        /// <summary>Reads them; nonsense is passed over.</summary>
        public IEnumerable<ClimbRun> Read()
        {
            for (var i = 0; i + 2 < (Runs?.Count ?? 0); i += 3)
            {
                if (Runs![i] is > 0 and < LatestMilliseconds && Runs[i + 1] is >= 0 and < LongestRun && Runs[i + 2] is > 0 and < int.MaxValue)
                {
                    var first = DateTimeOffset.FromUnixTimeMilliseconds(Runs[i]);
                    yield return new ClimbRun(first, first.AddMilliseconds(Runs[i + 1]), (int)Runs[i + 2]);
                }
            }
        }

        /// <summary>The delay; <see langword="null"/> where the ladder has none such.</summary>
        public TimeSpan? Time() => Delay > 0 && Delay <= DelayLadder.MaxDelay.Ticks / DelayLadder.Step.Ticks ? DelayLadder.Step * Delay : null;
    }

    private const long LatestMilliseconds = 100_000_000_000_000;
    private const long LongestRun = 1_000_000_000;

    /// <summary>Writes it.</summary>
    public ControlRecord Write(string by, DateTimeOffset at) => new(Kind, Node, 1, JsonSerializer.SerializeToUtf8Bytes(this, Json)) { By = by, At = at };

    /// <summary>Reads one; <see langword="null"/> where it is none.</summary>
    public static ClimbReport? Read(ControlRecord record)
    {
        try
        {
            return record.Kind == Kind && JsonSerializer.Deserialize<ClimbReport>(record.Body.Span, Json) is { Node.Length: > 0 } report
                ? report with { Instances = report.Instances ?? [], Points = report.Points ?? new Dictionary<string, IReadOnlyList<Sent>>() }
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
