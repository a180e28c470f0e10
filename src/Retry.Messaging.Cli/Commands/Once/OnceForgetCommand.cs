using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once forget KEY</c>: the next message with this key runs as a new one.</summary>
internal static class OnceForgetCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("forget", "Forgets a key: the next message with it runs as a new one, and its effect happens again. What runs is kept.");
        var store = StoreOptions.AddTo(command);
        var key = OnceShowCommand.Key();
        var consumer = new Option<string?>("--consumer") { Description = "Only for this consumer, as 'retryctl once show' names it. Default: for all.", HelpName = "NAME" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        command.Arguments.Add(key);
        command.Options.Add(consumer);
        command.Options.Add(yes);
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(host, parsed, store, parsed.GetValue(key)!, parsed.GetValue(consumer), parsed.GetValue(yes), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        Option<string?> option,
        string key,
        string? consumer,
        bool yes,
        CancellationToken cancellationToken)
    {
        var json = parsed.GetValue(GlobalOptions.Json);
        if (!yes && (json || !host.InIsTerminal))
        {
            throw new UsageException(Question.WhyImpossible(json));
        }

        var store = StoreOptions.Open(parsed, option, host, TimeSpan.MaxValue);
        await using var _ = store.ConfigureAwait(false);
        var known = await store.Inspector.FindAsync(key, cancellationToken).ConfigureAwait(false);
        var chosen = known.Select(entry => entry.Key).Where(one => consumer is null || one.Consumer == consumer).ToList();
        if (chosen.Count == 0)
        {
            return known.Count == 0 ? OnceShowCommand.NotFound(host, key) : RetryCtl.Fail(
                host,
                ExitCode.Failed,
                $"Found no consumer '{Printable.Line(consumer!)}' with the key '{Printable.Line(key)}', wanted one of {Printable.Line(string.Join(", ", known.Select(entry => entry.Key.Consumer)))}.");
        }

        if (!yes && !await Question.IsAgreedAsync(
            host,
            $"Forget '{Printable.Line(key)}' for {Printable.Line(string.Join(", ", chosen.Select(one => one.Consumer)))}, so that it runs again",
            cancellationToken).ConfigureAwait(false))
        {
            return RetryCtl.Fail(host, ExitCode.Failed, "The answer was not yes, so nothing was changed.");
        }

        var forgotten = new List<string>();
        foreach (var one in chosen)
        {
            if (await store.Inspector.ForgetAsync(one, cancellationToken).ConfigureAwait(false))
            {
                forgotten.Add(one.Consumer);
            }
        }

        return Report(host, json, new OnceForgetDocument(key, forgotten, [.. chosen.Select(one => one.Consumer).Except(forgotten)]));
    }

    private static int Report(CliHost host, bool json, OnceForgetDocument done)
    {
        if (json)
        {
            JsonOutput.WriteLine(host.Out, done);
        }
        else
        {
            foreach (var consumer in done.Forgotten)
            {
                host.Out.WriteLine(Printable.Wrap("forgotten  ", Printable.Line(consumer), host.Width));
            }
        }

        return done.Running.Count == 0 ? ExitCode.Done : RetryCtl.Fail(
            host,
            ExitCode.Failed,
            $"{Printable.Line(string.Join(", ", done.Running))}: kept, because it runs under a lease. Try again when it has ended: 'retryctl once show' says until when.");
    }
}
