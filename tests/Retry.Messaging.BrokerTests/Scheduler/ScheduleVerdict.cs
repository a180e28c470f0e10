namespace Retry.Messaging.BrokerTests.Scheduler;

/// <summary>What became of scheduled messages.</summary>
/// <param name="Lost">Neither cancelled nor arrived.</param>
/// <param name="Early">Arrived before they were due.</param>
/// <param name="CancelledDelivered">Arrived although they were cancelled a second before.</param>
/// <param name="Copies">Arrived once more.</param>
/// <param name="UnmarkedCopies">Of these, without the mark that there may be another.</param>
/// <param name="Median">How long after it was due the median arrived.</param>
/// <param name="P99">How long after it was due the 99th percentile arrived.</param>
/// <param name="Latest">How long after it was due the last arrived.</param>
internal sealed record ScheduleVerdict(
    int Lost,
    int Early,
    int CancelledDelivered,
    int Copies,
    int UnmarkedCopies,
    TimeSpan Median,
    TimeSpan P99,
    TimeSpan Latest);
