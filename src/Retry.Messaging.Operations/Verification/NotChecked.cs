namespace Retry.Messaging.Operations.Verification;

/// <summary>Something that was not checked. Silence about it would read as "clean".</summary>
/// <param name="What">What was not checked.</param>
/// <param name="Why">What stood in the way, and what to do about it.</param>
internal sealed record NotChecked(string What, string Why);
