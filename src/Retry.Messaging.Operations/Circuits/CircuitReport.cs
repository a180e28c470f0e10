using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.Operations.Circuits;

/// <summary>The circuit of a point.</summary>
/// <param name="Document">What it lets through, and why.</param>
/// <param name="Instances">How many instances serve the point.</param>
/// <param name="WithBreaker">How many of them obey the circuit.</param>
/// <param name="IsJudged">Whether one of them judges the target.</param>
/// <param name="Ill">Those that are ill while the target is not, and take no messages: host and process, and why.</param>
internal sealed record CircuitReport(CircuitDocument Document, int Instances, int WithBreaker, bool IsJudged, IReadOnlyList<(string Node, string Why)> Ill);
