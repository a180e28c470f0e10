using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>A column of a listing.</summary>
/// <param name="Header">Its heading.</param>
/// <param name="Rank">When it is left out where a terminal has no room for all: the highest first; 0 never.</param>
/// <param name="Cell">What it shows of a message.</param>
internal sealed record MessageColumn(string Header, int Rank, Func<ParkedMessage, string> Cell)
{
    public static MessageColumn Id { get; } = new("ID", 0, static message => message.Id);

    public static MessageColumn Reason { get; } = new("REASON", 0, static message => message.Reason.ToString());

    public static MessageColumn Attempts { get; } = new("ATTEMPTS", 2, static message => Printable.Count(message.Attempts));

    public static MessageColumn Type { get; } = new("MESSAGE TYPE", 3, static message => message.MessageType ?? "-");

    /// <summary>The end of the type's name, by which a person knows it.</summary>
    public static MessageColumn ShortType { get; } = new("TYPE", 2, static message => message.MessageType is { } type ? type[(type.LastIndexOfAny(['.', '+']) + 1)..] : "-");

    /// <summary>How long ago something was: short, and what <c>--since</c> takes.</summary>
    public static MessageColumn Age(TimeProvider time, Func<ParkedMessage, DateTimeOffset?> at)
    {
        var now = time.GetUtcNow();
        return new("AGE", 1, message => at(message) is { } then ? Printable.Age(now - then) : "-");
    }

    /// <summary>When something was; the age tells it as well, where there is no room for both.</summary>
    public static MessageColumn Time(string header, Func<ParkedMessage, DateTimeOffset?> at) => new(header, 4, message => Printable.Time(at(message)));
}
