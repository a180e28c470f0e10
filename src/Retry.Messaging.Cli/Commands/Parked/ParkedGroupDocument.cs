using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Parking;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>A group of parked messages as JSON shows it.</summary>
internal sealed record ParkedGroupDocument(string Id, string Name, long Count, long? CameBack, DateTimeOffset? First, DateTimeOffset? Last, string? Example)
{
    public static ParkedGroupDocument Of(ParkedGroup group, ParkedPlace place) =>
        new(group.Id, group.Name, group.Count, place.IsErrorQueue ? null : group.CameBack, group.First, group.Last, group.Example);
}
