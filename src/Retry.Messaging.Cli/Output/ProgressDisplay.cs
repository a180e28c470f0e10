using Retry.Messaging.Cli.Hosting;
using Spectre.Console;

namespace Retry.Messaging.Cli.Output;

/// <summary>Shows long work on standard error: a bar on a terminal, otherwise a line every few seconds.</summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan LinePause = TimeSpan.FromSeconds(5);

    /// <summary>Runs work that reports (done, total).</summary>
    /// <param name="host">Where to show it.</param>
    /// <param name="title">What is done, for example <c>Replaying</c>.</param>
    /// <param name="work">The work.</param>
    public static async Task RunAsync(CliHost host, string title, Func<Action<long, long>, Task> work)
    {
        if (!host.ErrorIsTerminal)
        {
            var last = host.Time.GetTimestamp();
            await work((done, total) =>
            {
                if (host.Time.GetElapsedTime(last) >= LinePause)
                {
                    last = host.Time.GetTimestamp();
                    host.Error.WriteLine($"{title}: {Printable.Count(done)} of {Printable.Count(total)}");
                }
            }).ConfigureAwait(false);
            return;
        }

        await Tables.ConsoleOf(host.Error, host.Width, isTerminal: true).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(Markup.Escape(title), maxValue: 1);
                await work((done, total) =>
                {
                    task.MaxValue = Math.Max(1, total);
                    task.Value = done;
                    task.Description = Markup.Escape($"{title} {Printable.Count(done)} of {Printable.Count(total)}");
                }).ConfigureAwait(false);
            }).ConfigureAwait(false);
    }
}
