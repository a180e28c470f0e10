using System.CommandLine;
using System.Globalization;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Rules;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary>Shows a rule.</summary>
internal static class RuleAnswer
{
    /// <summary>Shows what was just written.</summary>
    /// <returns>The exit code: 3 where nothing comes of the rule.</returns>
    public static async Task<int> WriteAsync(CliHost host, ParseResult parsed, IConnection connection, Rule rule, CancellationToken cancellationToken)
    {
        var found = await new RuleReader(connection, host.Time).FindAsync(rule.Point, rule.Name, cancellationToken).ConfigureAwait(false);
        return Write(host, parsed, found ?? new RuleReport(new RuleEntry(rule.Point, rule.Name, rule.Version) { Rule = rule }, null, null));
    }

    /// <summary>Shows it.</summary>
    /// <returns>The exit code: 3 where nothing comes of the rule.</returns>
    public static int Write(CliHost host, ParseResult parsed, RuleReport report)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, RuleDocument.Of(report));
        }
        else if (report.Entry.Rule is { } rule)
        {
            WriteLines(host, rule, report.Next);
        }

        return report.Trouble is { } trouble ? RetryCtl.Fail(host, ExitCode.Finding, $"{report.Entry.Name} of '{report.Entry.Point}': {trouble}") : ExitCode.Done;
    }

    /// <summary>Whether it rests, in a word.</summary>
    public static string StateOf(RuleEntry entry) => entry switch
    {
        { Rule: null } => "UNREADABLE",
        { Rule.Removed: not null } => "removed",
        { Rule.Paused: not null } => "paused",
        _ => "on",
    };

    /// <summary>What became of a run, in a word or two.</summary>
    public static string WordOf(RuleRunState state) => state switch
    {
        RuleRunState.GivenUp => "given up",
        RuleRunState.Begun => "replaying",
        RuleRunState.Claimed => "beginning",
        _ => state.ToString().ToLowerInvariant(),
    };

    private static void WriteLines(CliHost host, Rule rule, DateTimeOffset? next)
    {
        Line("Rule", $"{rule.Name} of '{rule.Point}', {StateOf(new RuleEntry(rule.Point, rule.Name, rule.Version) { Rule = rule })}");
        Line("When", rule.Trigger.Words + (next is { } slot ? $"; next {Printable.Time(slot)}" : string.Empty));
        Line("Which", rule.Conditions.Words() is { Count: > 0 } conditions ? string.Join(", ", conditions) : "all that are parked");
        Line("How", string.Join(
            ", ",
            ((string?[])[
                rule.PerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{rate:0.######} messages per second") : "as fast as can be",
                $"each message {Printable.Count(rule.Times, "time")} at most",
                rule.Limit is { } limit ? $"{Printable.Messages(limit)} a run at most" : null,
            ]).OfType<string>()));
        Line("Set", WordsOf(rule.Set));
        if (rule.Paused is { } paused)
        {
            Line("Paused", WordsOf(paused));
        }

        if (rule.Removed is { } removed)
        {
            Line("Removed", WordsOf(removed));
        }

        foreach (var run in rule.Runs)
        {
            Line("Run", $"{Printable.Time(run.At)}, {WordOf(run.State)}{CountOf(run)}{(run.Why is { } why ? $": {why}" : string.Empty)}; for {Printable.Time(run.For)}, by {run.By}, plan {run.Plan}");
        }

        if (rule.Unfinished is { } unfinished && (rule.Paused ?? rule.Removed) is not null)
        {
            host.Out.WriteLine(Printable.Wrap(string.Empty, $"A run goes on: 'retryctl plans cancel {unfinished.Plan}' ends it.", host.Width));
        }

        void Line(string label, string text) => host.Out.WriteLine(Printable.Wrap($"{label,-8} ", Printable.Line(text), host.Width));
    }

    private static string CountOf(RuleRun run) => run switch
    {
        { Count: null or 0 } => string.Empty,
        { Moved: { } moved, Count: { } count } when moved < count => $" {Printable.Count(moved)} of {Printable.Messages(count)}",
        _ => $" {Printable.Messages(run.Count.Value)}",
    };

    private static string WordsOf(RuleWord word) => $"by {word.By}, {Printable.Time(word.At)}{(word.Why is { } why ? $". Why: {why}" : string.Empty)}";
}
