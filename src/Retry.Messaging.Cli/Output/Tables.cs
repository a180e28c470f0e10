using Retry.Messaging.Cli.Hosting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Retry.Messaging.Cli.Output;

/// <summary>Tables for people: with rules on a terminal, plain columns for pipes.</summary>
internal static class Tables
{
    /// <summary>Makes an empty table; what goes into it may contain anything, so cells are plain text, never markup.</summary>
    /// <param name="host">Where it will be written.</param>
    /// <param name="whole">Columns that are shown whole or not at all: ids, numbers, single words.</param>
    /// <param name="folded">Columns of text, which a narrow terminal folds into several lines.</param>
    public static Table Create(CliHost host, string[] whole, string[] folded)
    {
        var table = new Table { Border = host.OutIsTerminal ? TableBorder.Rounded : TableBorder.None, UseSafeBorder = true };
        foreach (var column in whole)
        {
            table.AddColumn(new TableColumn(new Text(column)).NoWrap());
        }

        foreach (var column in folded)
        {
            table.AddColumn(new TableColumn(new Text(column)));
        }

        return table;
    }

    public static void AddRow(Table table, params string[] cells) =>
        table.AddRow(cells.Select(cell => new Text(Printable.Line(cell)) { Overflow = Overflow.Fold }));

    /// <summary>Writes a table; without trailing blanks, which only a terminal's cursor needs.</summary>
    /// <param name="host">Where to write it.</param>
    /// <param name="table">The table.</param>
    /// <param name="narrowest">How many characters a folded column needs to be read. Where a terminal has no room for that, it gets what a
    /// pipe gets, and breaks the lines itself: nothing is cut off.</param>
    public static void Write(CliHost host, Table table, int narrowest)
    {
        if (host.OutIsTerminal)
        {
            var console = ConsoleOf(host.Out, host.Width, isTerminal: true);
            if (WidthOf(console, table, narrowest) <= host.Width)
            {
                console.Write(table);
                return;
            }

            table.Border = TableBorder.None;
        }

        using var text = new StringWriter();
        ConsoleOf(text, CliHost.EndlessWidth, isTerminal: false).Write(table);
        foreach (var line in text.ToString().Split('\n'))
        {
            if (line.TrimEnd() is { Length: > 0 } trimmed)
            {
                host.Out.WriteLine(trimmed);
            }
        }
    }

    // a border and two blanks for each column, and the last border
    private static int WidthOf(IAnsiConsole console, Table table, int narrowest)
    {
        var options = RenderOptions.Create(console, console.Profile.Capabilities);
        return 1 + table.Columns.Select((column, index) => 3 + (column.NoWrap
            ? table.Rows.Select(row => row[index]).Append(column.Header).Max(cell => cell.Measure(options, CliHost.EndlessWidth).Max)
            : narrowest)).Sum();
    }

    public static IAnsiConsole ConsoleOf(TextWriter writer, int width, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        console.Profile.Width = width;
        return console;
    }
}
