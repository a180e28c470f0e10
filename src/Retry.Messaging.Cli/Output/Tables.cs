using Retry.Messaging.Cli.Hosting;
using Spectre.Console;

namespace Retry.Messaging.Cli.Output;

/// <summary>Tables for people: with rules on a terminal, plain columns for pipes.</summary>
internal static class Tables
{
    /// <summary>Makes an empty table; what goes into it may contain anything, so cells are plain text, never markup.</summary>
    public static Table Create(CliHost host, params string[] columns)
    {
        var table = new Table { Border = host.OutIsTerminal ? TableBorder.Rounded : TableBorder.None, UseSafeBorder = true };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column)).NoWrap());
        }

        return table;
    }

    public static void AddRow(Table table, params string[] cells) =>
        table.AddRow(cells.Select(cell => new Text(Printable.Line(cell)) { Overflow = Overflow.Ellipsis }));

    /// <summary>Writes a table without trailing blanks, which only a terminal's cursor needs.</summary>
    public static void Write(CliHost host, Table table)
    {
        if (host.OutIsTerminal)
        {
            ConsoleOf(host.Out, host.Width, isTerminal: true).Write(table);
            return;
        }

        using var text = new StringWriter();
        ConsoleOf(text, host.Width, isTerminal: false).Write(table);
        foreach (var line in text.ToString().Split('\n'))
        {
            if (line.TrimEnd() is { Length: > 0 } trimmed)
            {
                host.Out.WriteLine(trimmed);
            }
        }
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
