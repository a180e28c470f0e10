using System.CommandLine;
using Retry.Messaging.Benchmarks.Cases;
using Retry.Messaging.Benchmarks.Metastable;

namespace Retry.Messaging.Benchmarks.Running;

/// <summary>What can be typed.</summary>
internal static class BenchmarkCommand
{
    private const int UsualRounds = 7;

    private static readonly Argument<string[]> Names = new("NAME")
    {
        Description = "Which benchmarks, by their name or how it begins; all when none is given.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<int> Rounds = new("--rounds") { Description = "How many rounds count; one more warms up.", DefaultValueFactory = _ => UsualRounds };

    private static readonly Option<int?> Messages = new("--messages") { Description = "How many messages a round has, instead of each benchmark's own number." };

    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON, with the value of every round, to standard output instead of tables." };

    private static readonly Option<string?> Markdown = new("--markdown") { Description = "Write the tables into this file as well, each in its place there.", HelpName = "FILE" };

    public static async Task<int> RunAsync(string[] args)
    {
        Rounds.Validators.Add(result => Check(result.GetValueOrDefault<int>(), 1, 1000, result.AddError, "--rounds"));
        Messages.Validators.Add(result => Check(result.GetValueOrDefault<int?>() ?? 1, 1, 1_000_000, result.AddError, "--messages"));
        Names.Validators.Add(result =>
        {
            foreach (var name in result.GetValueOrDefault<string[]>() ?? [])
            {
                if (AllBenchmarks.Named(name).Count == 0)
                {
                    result.AddError($"Found no benchmark '{name}'; wanted one of {string.Join(", ", AllBenchmarks.All.Select(benchmark => benchmark.Name))}.");
                }
            }
        });

        var names = string.Join('\n', AllBenchmarks.All.Select(benchmark => $"  {benchmark.Name,-24} {benchmark.Description}"));
        var root = new RootCommand($"Measures graded retry beside the same work done by hand, in turn, on a private broker.\n\n{names}") { Names, Rounds, Messages, Json, Markdown };
        root.Subcommands.Add(MetastableCommand.Create());
        root.SetAction(async parsed =>
        {
            using var stop = new StopRequest();
            var benchmarks = parsed.GetValue(Names) is { Length: > 0 } wanted ? [.. wanted.SelectMany(AllBenchmarks.Named).Distinct()] : AllBenchmarks.All;
            var run = new BenchmarkRun(benchmarks, parsed.GetValue(Rounds), parsed.GetValue(Messages), parsed.GetValue(Json), parsed.GetValue(Markdown));
            return await run.RunAsync(stop.Token);
        });
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static void Check(int value, int least, int most, Action<string> error, string option)
    {
        if (value < least || value > most)
        {
            error($"{option}: found {value}, wanted {least} to {most}.");
        }
    }
}
