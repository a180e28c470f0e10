using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Output;

/// <summary>A listing with one row for each message, whatever the width of the terminal.</summary>
/// <remarks>Where a terminal has no room, columns are left out and the error, the last one, is cut. A pipe gets everything.</remarks>
internal static class MessageTable
{
    private const string Gap = "  ";
    private const string ErrorHeader = "ERROR";
    private const int NarrowestError = 20;
    private const int NarrowestOfAll = 8;
    private const int WidestError = 100;

    /// <summary>Writes the rows below their headings.</summary>
    /// <param name="host">Where to write them.</param>
    /// <param name="columns">What stands left of the error.</param>
    /// <param name="messages">The messages.</param>
    public static void Write(CliHost host, IReadOnlyList<MessageColumn> columns, IReadOnlyList<ParkedMessage> messages)
    {
        var shown = columns
            .Select(column => (column.Rank, Cells: messages.Select(message => Printable.Line(column.Cell(message))).Prepend(column.Header).ToList()))
            .ToList();
        while (host.OutIsTerminal && WidthOf(shown) + NarrowestError > host.Width && shown.Max(column => column.Rank) is > 0 and var last)
        {
            shown.RemoveAll(column => column.Rank == last);
        }

        var room = host.OutIsTerminal ? Math.Clamp(host.Width - WidthOf(shown), NarrowestOfAll, WidestError) : WidestError;
        var errors = messages.Select(message => ErrorOf(message, host.OutIsTerminal)).Prepend(ErrorHeader).ToList();
        for (var row = 0; row <= messages.Count; row++)
        {
            var line = string.Concat(shown.Select(column => Printable.Pad(column.Cells[row], column.Cells.Max(Printable.Cells)) + Gap));
            host.Out.WriteLine((line + Printable.Fit(errors[row], room)).TrimEnd());
        }
    }

    private static int WidthOf(IEnumerable<(int Rank, List<string> Cells)> columns) => columns.Sum(column => column.Cells.Max(Printable.Cells) + Gap.Length);

    // a person knows an exception by the end of its name
    private static string ErrorOf(ParkedMessage message, bool isShort)
    {
        var error = Printable.Line(message.Error ?? (message.BrokerReason is { } word ? $"(by the broker: {word})" : "-"));
        var name = error.IndexOf(": ", StringComparison.Ordinal) is var end and > 0 ? error[..end] : string.Empty;
        return isShort && !name.Contains(' ', StringComparison.Ordinal) ? error[(name.LastIndexOf('.') + 1)..] : error;
    }
}
