using Retry.Messaging.Operations.Parking;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>A group of parked messages as JSON shows it.</summary>
internal sealed record ParkedGroupDocument(string Name, long Count, long CameBack, DateTimeOffset? First, DateTimeOffset? Last, string? Example)
{
    public static ParkedGroupDocument Of(ParkedGroup group) => new(group.Name, group.Count, group.CameBack, group.First, group.Last, group.Example);
}
