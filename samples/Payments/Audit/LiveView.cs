using Payments.Running;
using Payments.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.Naming;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Payments.Audit;

/// <summary>A picture that changes, for a terminal: the rungs filling and emptying, what became of the payments, the last errors.</summary>
internal sealed class LiveView : IProgressView
{
    private const int BarLength = 14;
    private const int ChartWidth = 76;
    private const int FullBarAtLeast = 10;

    // interactive whatever its input is: that is the pipe which tells of the parent's end, and nothing is asked
    private static readonly IAnsiConsole Terminal = AnsiConsole.Create(new AnsiConsoleSettings { Interactive = InteractionSupport.Yes });

    private readonly Run _run;
    private readonly LiveDisplayContext _display;
    private readonly HashSet<string> _used = [];
    private int _fullBar = FullBarAtLeast;

    private LiveView(Run run, LiveDisplayContext display)
    {
        _run = run;
        _display = display;
    }

    /// <summary>Whether somebody looks at a terminal that can move its cursor.</summary>
    public static bool IsPossible => !Console.IsOutputRedirected && Terminal.Profile.Capabilities.Ansi;

    /// <summary>Shows the picture while something runs; the last picture stays, and the cursor is back, however that ends.</summary>
    public static Task RunAsync(Run run, Func<IProgressView, Task> watch) => Terminal
        .Live(new Text(string.Empty))
        .Overflow(VerticalOverflow.Crop)
        .Cropping(VerticalOverflowCropping.Bottom)
        .StartAsync(display => watch(new LiveView(run, display)));

    public void Show(Moment moment, IReadOnlyDictionary<string, int> rungs, IEnumerable<Attempt> lastErrors)
    {
        _display.UpdateTarget(new Rows(Totals(moment), Outcomes(moment.Now), new Text(string.Empty), Ladder(rungs), new Text(string.Empty), Errors(lastErrors)));
        _display.Refresh();
    }

    public void Say(string line)
    {
        _display.UpdateTarget(new Text(line));
        _display.Refresh();
    }

    private Markup Totals(Moment moment) => new(
        $"[bold]{moment.Elapsed.TotalSeconds,4:0} s[/]  {moment.Now.Published} of {_run.Payments} payments  {moment.AttemptsPerSecond:0} attempts/s  {moment.RetriesPerSecond:0} retries/s (limited to {PaymentService.RetriesPerSecond})"
        // counted from the auditor's start, which is near enough for a picture
        + (_run.Outage.Covers(moment.Elapsed) ? "  [red]the gateway is down[/]" : string.Empty));

    // numbers of a fixed width: nothing jumps
    private static Rows Outcomes(Progress now)
    {
        (string Name, int Count, Color Color)[] all =
        [
            ("done", now.Done, Color.Green),
            ("on ladder", now.InLadder, Color.Yellow),
            ("in queue", now.InQueue, Color.Blue),
            ("parked", now.Parked, Color.Red),
            ("in hands", Math.Max(0, now.Published - now.Done - now.InLadder - now.InQueue - now.Parked), Color.Grey),
        ];
        var chart = new BreakdownChart().Width(ChartWidth).HideTags();
        foreach (var (name, count, color) in all)
        {
            chart.AddItem(name, count, color);
        }

        return new Rows(chart, new Markup(string.Join("  ", all.Select(one => $"[{one.Color.ToMarkup()}]■[/] {one.Name} {one.Count,-4}"))));
    }

    // rungs that were never used say nothing; those that are empty again do
    private Grid Ladder(IReadOnlyDictionary<string, int> rungs)
    {
        _used.UnionWith(rungs.Where(rung => rung.Value > 0).Select(rung => rung.Key));
        _fullBar = Math.Max(_fullBar, rungs.Values.DefaultIfEmpty().Max());
        var levels = DelayLadder.Levels.Select(level => Level(level, rungs)).OfType<Table>().ToArray<IRenderable>();
        var grid = new Grid();
        grid.AddColumns(Math.Max(levels.Length, 1));
        return grid.AddRow(levels.Length > 0 ? levels : [new Text("The ladder is empty.")]);
    }

    private Table? Level(LadderLevel level, IReadOnlyDictionary<string, int> rungs)
    {
        var table = new Table().Border(TableBorder.None).Title(BrokerNames.LevelExchange(level)).HideHeaders();
        table.AddColumns(new TableColumn(string.Empty).RightAligned(), new TableColumn(string.Empty).Width(BarLength), new TableColumn(string.Empty).Width(4).RightAligned());
        for (var digit = 1; digit <= level.MaxDigit; digit++)
        {
            var rung = BrokerNames.Rung(level, digit);
            if (_used.Contains(rung))
            {
                var count = rungs.GetValueOrDefault(rung);
                table.AddRow(new Text(level.Grade(digit)), new Text(new string('█', (count * BarLength + _fullBar - 1) / _fullBar), new Style(Color.Yellow)), new Text(count > 0 ? $"{count}" : "·"));
            }
        }

        return table.Rows.Count > 0 ? table : null;
    }

    private static Table Errors(IEnumerable<Attempt> lastErrors)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumns(string.Empty, string.Empty, string.Empty);
        foreach (var error in lastErrors.Reverse())
        {
            table.AddRow(new Text($"{error.At:HH:mm:ss.fff}", new Style(Color.Grey)), new Text($"{error.PaymentId} attempt {error.Number}"), new Text(error.Outcome, new Style(Color.Red)));
        }

        return table;
    }
}
