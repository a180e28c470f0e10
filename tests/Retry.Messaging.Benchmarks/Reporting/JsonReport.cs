using System.Text.Encodings.Web;
using System.Text.Json;

namespace Retry.Messaging.Benchmarks.Reporting;

/// <summary>Results as JSON, with the value of every round.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(IEnumerable<BenchmarkResult> results, MachineDescription machine) => JsonSerializer.Serialize(
        new
        {
            machine,
            benchmarks = results.Select(result => new
            {
                result.Name,
                result.Title,
                result.Method,
                rows = result.Rows.Select(row => new { row.Name, figures = row.Figures.Select(figure => new { figure.Name, figure.Median, figure.Min, figure.Max, rounds = figure.Values }) }),
                targets = result.Targets.Select(target => new { target.What, found = target.Found.Median, target.AtLeast, target.Aim, target.Verdict }),
                othersPercent = result.Others?.Median,
            }),
        },
        Options);
}
