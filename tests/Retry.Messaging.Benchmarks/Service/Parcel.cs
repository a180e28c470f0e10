namespace Retry.Messaging.Benchmarks.Service;

/// <summary>The message of all benchmarks.</summary>
/// <param name="Number">Which of the round's messages it is, from 0.</param>
/// <param name="Text">So many bytes.</param>
public sealed record Parcel(int Number, string Text);
