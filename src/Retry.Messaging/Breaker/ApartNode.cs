namespace Retry.Messaging.Breaker;

/// <summary>A node that is ill while the target is not, and so takes no messages.</summary>
/// <param name="Node">The node.</param>
/// <param name="Number">Which time it is: the numbers of a point only grow. A node that is well again says for which it was.</param>
/// <param name="Why">The evidence, for people.</param>
internal sealed record ApartNode(string Node, long Number, string Why);
