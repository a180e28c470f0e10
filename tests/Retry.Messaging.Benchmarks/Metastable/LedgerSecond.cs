namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary>One second of a target.</summary>
/// <param name="Called">Calls that came.</param>
/// <param name="Dropped">Calls that found no place.</param>
/// <param name="Answered">Messages that were answered in time, for the first time: the goodput.</param>
/// <param name="Wasted">Calls that were served after their callers had given up.</param>
internal readonly record struct LedgerSecond(int Called, int Dropped, int Answered, int Wasted);
