using System.CommandLine;
using System.Text.Json;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Configuration;
using Retry.Messaging.Operations.Policies;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>Shows the policy of a point.</summary>
internal static class PolicyAnswer
{
    private const int NarrowestText = 12;
    private const string Operator = "operator";

    /// <summary>Shows it.</summary>
    /// <returns>The exit code: 3 where an instance does not apply what operators have set.</returns>
    public static int Write(CliHost host, ParseResult parsed, PolicyReport report)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, PolicyReportDocument.Of(report));
        }
        else
        {
            WriteTable(host, report);
        }

        return report.Behind.Count == 0 ? ExitCode.Done : ExitCode.Finding;
    }

    /// <summary>Each setting, as the instance says that applies most; what operators have set where none runs.</summary>
    public static IEnumerable<PolicySettingDocument> SettingsOf(PolicyReport report)
    {
        var served = report.Served.Where(point => point.Settings is { Count: > 0 }).MaxBy(point => point.PolicyVersion);
        foreach (var setting in served?.Settings ?? [])
        {
            yield return new PolicySettingDocument(setting.Name, setting.Value, setting.From);
        }

        foreach (var (name, value) in served is null ? report.Document.Settings : new Dictionary<string, JsonElement>())
        {
            yield return new PolicySettingDocument(name, Text(value), Operator);
        }

        var (set, code) = (report.Limiter.Setting, report.Limiter.Code?.Limit);
        yield return new PolicySettingDocument(
            "Limit",
            set.Over(code) is { } limit ? $"{LimiterSettingAnswer.Rate(limit.PerSecond)}, burst {limit.Burst}" : "none",
            set is { PerSecond: not null } or { Burst: not null } ? Operator : code is not null ? "code" : SettingOrigin.Default);
    }

    /// <summary>A value of a document, on one line.</summary>
    public static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => string.Join(' ', value.EnumerateArray().Select(Text)),
        JsonValueKind.String => value.GetString() ?? string.Empty,
        _ => value.GetRawText(),
    };

    private static void WriteTable(CliHost host, PolicyReport report)
    {
        var table = Tables.Create(host, ["SETTING", "FROM"], ["VALUE"]);
        foreach (var setting in SettingsOf(report))
        {
            Tables.AddRow(table, setting.Name, setting.From, setting.Value);
        }

        Tables.Write(host, table, NarrowestText);
        var document = report.Document;
        host.Out.WriteLine(document.Version == 0
            ? "Operators have set nothing."
            : Printable.Wrap($"Version {document.Version}: ", $"{Described(document)}{(document.Why is { } why ? $" Why: {Printable.Line(why)}" : string.Empty)}", host.Width));
        if (document.Before is { } before)
        {
            host.Out.WriteLine(Printable.Wrap($"Before it, version {before.Version}: ", Described(before), host.Width));
        }

        host.Out.WriteLine(report.Nodes.Count == 0
            ? "No instance serves the point at the moment; it holds when one starts."
            : $"Applied by {report.Nodes.Count - report.Behind.Count} of {Printable.Count(report.Nodes.Count, "instance")}.");
        foreach (var (node, reason) in report.Behind)
        {
            host.Out.WriteLine(Printable.Wrap($"Look at {Printable.Line(node)}: ", Printable.Line(reason), host.Width));
        }
    }

    private static string Described(PolicyDocument document) =>
        $"{(document.Settings.Count == 0 ? "cleared" : Printable.Line(string.Join(", ", document.Settings.Select(setting => $"{setting.Key} {Text(setting.Value)}"))))}, by {Printable.Line(document.By)} at {Printable.Time(document.At)}.";
}
