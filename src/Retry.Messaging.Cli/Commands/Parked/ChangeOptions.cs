using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What a replay changes in its copies, and where it sends them.</summary>
internal sealed class ChangeOptions
{
    private readonly Option<string?> _to = new("--to") { Description = "Send the copies to this queue instead of their work queue; through its limiter, where it has one.", HelpName = "QUEUE" };
    private readonly Option<string[]> _setHeader = new("--set-header")
    {
        Description = "Give the copies this header, as text; may be given several times.",
        HelpName = "NAME=VALUE",
        DefaultValueFactory = static _ => [],
    };
    private readonly Option<bool> _edit = new("--edit") { Description = "Open the JSON body of the one message in $EDITOR, and send the copy with what is saved. The parked message stays until the copy is confirmed." };

    public ChangeOptions(Command command)
    {
        command.Options.Add(_to);
        command.Options.Add(_setHeader);
        command.Options.Add(_edit);
    }

    /// <summary>What was given.</summary>
    /// <exception cref="UsageException">It makes no sense.</exception>
    public Given Of(ParseResult parsed, ParkedPlace place, string[] ids)
    {
        var given = new Given(parsed.GetValue(_to), HeadersOf(parsed.GetValue(_setHeader) ?? []), parsed.GetValue(_edit));
        if (place.IsErrorQueue && given != Given.Nothing)
        {
            throw new UsageException("Found --to, --set-header or --edit beside --queue, wanted a point's parking lot. 'retryctl parked adopt' moves messages of an error queue there.");
        }

        if (given.To is { } to && RetryPointNames.For(to).WhyUnusable(hasRelease: false) is { } why)
        {
            throw new UsageException($"{_to.Name}: {why}");
        }

        if (given.To is { } queue && ((string[])[BrokerNames.ParkedSuffix, BrokerNames.ReleaseSuffix]).Any(suffix => queue.EndsWith(suffix, StringComparison.Ordinal)))
        {
            throw new UsageException($"{_to.Name}: found '{queue}', which belongs to a point, wanted a work queue. Its release queue is gone through where it has one.");
        }

        return given.Edit && ids.Length != 1 ? throw new UsageException($"{_edit.Name}: found {ids.Length} ids, wanted one.") : given;
    }

    private Dictionary<string, string> HeadersOf(string[] texts)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new UsageException($"{_setHeader.Name}: found '{text}', wanted NAME=VALUE.");
            }

            headers[text[..equals]] = ReplayOptions.WhyNotAHeader(text[..equals]) is { } why ? throw new UsageException($"{_setHeader.Name}: {why}") : text[(equals + 1)..];
        }

        return headers;
    }

    /// <summary>What was given.</summary>
    internal sealed record Given(string? To, IReadOnlyDictionary<string, string> Headers, bool Edit)
    {
        public static readonly Given Nothing = new(null, new Dictionary<string, string>(), Edit: false);

        /// <summary>For example <c> to 'repair', with x-channel=batch</c>; nothing where nothing was given.</summary>
        public string InWords => (To is null ? string.Empty : $" to '{To}'")
            + (Headers.Count == 0 ? string.Empty : $", with {string.Join(" and ", Headers.Select(header => $"{header.Key}={header.Value}"))}");

        public bool Equals(Given? other) => other is not null && To == other.To && Edit == other.Edit && Headers.Count == 0 && other.Headers.Count == 0;

        public override int GetHashCode() => HashCode.Combine(To, Edit, Headers.Count);
    }
}
