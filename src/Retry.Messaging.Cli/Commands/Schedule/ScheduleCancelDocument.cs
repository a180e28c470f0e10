using System.Text.Json;
using Retry.Messaging.RabbitMq.Cancelling;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Cli.Commands.Schedule;

/// <summary>What became of a cancel, as JSON shows it.</summary>
internal sealed record ScheduleCancelDocument(Guid Token, string Result, DateTimeOffset? DueAt)
{
    public static ScheduleCancelDocument Of(Guid token, CancelResult result) =>
        new(token, JsonNamingPolicy.CamelCase.ConvertName(result.ToString()), ScheduleToken.DueOf(token));
}
