using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Idempotency;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once show KEY</c>: what the store knows of a key. Changes nothing.</summary>
internal static class OnceShowCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Shows what the store knows of a key, for each consumer that has had it. The answers themselves are not shown. Changes nothing.");
        var store = StoreOptions.AddTo(command);
        var key = Key();
        command.Arguments.Add(key);
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, store, parsed.GetValue(key)!, cancellationToken));
        return command;
    }

    /// <summary>The key that a command is about.</summary>
    public static Argument<string> Key() => new("KEY") { Description = "The message id, or what KeyedBy takes from the message." };

    /// <summary>Says that nobody has had a key.</summary>
    public static int NotFound(CliHost host, string key) => RetryCtl.Fail(
        host,
        ExitCode.Failed,
        $"No consumer has had the key '{Printable.Line(key)}', or it has been forgotten. A message id is written as 8-4-4-4-12 hexadecimal digits.");

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, Option<string?> option, string key, CancellationToken cancellationToken)
    {
        var store = StoreOptions.Open(parsed, option, host, TimeSpan.MaxValue);
        await using var _ = store.ConfigureAwait(false);
        var entries = await store.Inspector.FindAsync(key, cancellationToken).ConfigureAwait(false);
        foreach (var entry in entries)
        {
            if (parsed.GetValue(GlobalOptions.Json))
            {
                JsonOutput.WriteLine(host.Out, OnceKeyDocument.Of(entry));
            }
            else
            {
                Write(host, entry);
            }
        }

        return entries.Count > 0 ? ExitCode.Done : NotFound(host, key);
    }

    private static void Write(CliHost host, IdempotencyEntry entry)
    {
        host.Out.WriteLine(Printable.Wrap("consumer  ", Printable.Line(entry.Key.Consumer), host.Width));
        host.Out.WriteLine(Printable.Wrap("state     ", StateOf(entry), host.Width));
        host.Out.WriteLine($"content   {Printable.Line(entry.ContentHash)}");
        host.Out.WriteLine();
    }

    private static string StateOf(IdempotencyEntry entry) => entry switch
    {
        { State: KeyState.Done } => $"done since {Printable.Time(entry.ChangedAt)}; its answers have {Printable.Count(entry.ResultBytes, "byte")}",
        { State: KeyState.Failed } => $"failed for good at {Printable.Time(entry.ChangedAt)}; a replay of its message runs it again",
        { IsLeaseOver: true } => $"unsure: its lease ran out at {Printable.Time(entry.LeaseUntil)}, and nobody said how it ended",
        _ => $"runs; its lease is good until {Printable.Time(entry.LeaseUntil)}, unless it is renewed",
    };
}
