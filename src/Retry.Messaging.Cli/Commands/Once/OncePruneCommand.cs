using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once prune --older-than AGE</c>: forgets old keys, in small batches.</summary>
internal static class OncePruneCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("prune", "Forgets the keys that have not changed for a time, in small batches. Services do it by themselves, by their own retention. What runs is kept.");
        var store = StoreOptions.AddTo(command);
        var olderThan = new Option<string>("--older-than")
        {
            Description = "For how long a key has not changed, for example 7d or 36h. Not less than the service's retention: a duplicate that comes later runs again.",
            HelpName = "AGE",
            Required = true,
        };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        command.Options.Add(olderThan);
        command.Options.Add(yes);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, store, AgeOf(parsed.GetValue(olderThan)!), parsed.GetValue(yes), cancellationToken));
        return command;
    }

    private static TimeSpan AgeOf(string text) => DurationText.TryParse(text, out var age) && age > TimeSpan.Zero
        ? age
        : throw new UsageException($"--older-than: found '{text}', wanted an age such as 7d or 36h.");

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, Option<string?> option, TimeSpan age, bool yes, CancellationToken cancellationToken)
    {
        var json = parsed.GetValue(GlobalOptions.Json);
        if (!yes && (json || !host.InIsTerminal))
        {
            throw new UsageException(Question.WhyImpossible(json));
        }

        var store = StoreOptions.Open(parsed, option, host, age);
        await using var _ = store.ConfigureAwait(false);
        if (!yes && !await Question.IsAgreedAsync(host, $"Forget every key that has not changed for {Printable.Age(age)}", cancellationToken).ConfigureAwait(false))
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
        }

        var pruned = 0L;
        int batch;
        do
        {
            batch = await store.Store.PruneAsync(IdempotencyPruning.Batch, cancellationToken).ConfigureAwait(false);
            pruned += batch;
        }
        while (batch == IdempotencyPruning.Batch);

        if (json)
        {
            JsonOutput.WriteLine(host.Out, new OncePruneDocument(pruned));
        }
        else
        {
            host.Out.WriteLine($"Forgot {Printable.Count(pruned, "key")}.");
        }

        return ExitCode.Done;
    }
}
