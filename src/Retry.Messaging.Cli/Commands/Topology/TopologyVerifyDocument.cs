namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary>The result of <c>topology verify</c> as JSON shows it.</summary>
internal sealed record TopologyVerifyDocument(
    IReadOnlyList<string> Points,
    IReadOnlyList<FindingDocument> Findings,
    IReadOnlyList<NotCheckedDocument> NotChecked,
    IReadOnlyList<string> Advice);

/// <summary>One finding.</summary>
internal sealed record FindingDocument(string Kind, string Subject, string Found, string Wanted, string NextStep);

/// <summary>Something that could not be looked at.</summary>
internal sealed record NotCheckedDocument(string What, string Why);
