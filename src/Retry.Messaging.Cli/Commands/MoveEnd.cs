using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Cli.Commands;

/// <summary>How moving messages ended: with the last one, by Ctrl-C, or at an error. What was moved until then is reported in each case.</summary>
/// <param name="Interrupted">Whether it was cancelled.</param>
/// <param name="Failure">What ended it, when something did.</param>
internal sealed record MoveEnd(bool Interrupted, Exception? Failure)
{
    /// <summary>Moves messages, with a progress bar, and tells each.</summary>
    public static async Task<MoveEnd> RunAsync<T>(
        CliHost host,
        string title,
        Func<IProgress<ParkingProgress>,
        IAsyncEnumerable<T>> move,
        Action<T> moved,
        CancellationToken cancellationToken)
    {
        try
        {
            await ProgressDisplay.RunAsync(host, title, async report =>
            {
                await foreach (var message in move(new ReadingProgress(report)).ConfigureAwait(false))
                {
                    moved(message);
                }
            }).ConfigureAwait(false);
            return new(Interrupted: false, Failure: null);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new(Interrupted: true, Failure: null);
        }
        catch (Exception exception) when (exception is ParkingException { IsUnknownQueue: false } || BrokerFailures.IsGoneOrSilent(exception))
        {
            return new(Interrupted: false, exception);
        }
    }

    /// <summary>The exit code and error line of what did not come to its end; <see langword="null"/> for what did.</summary>
    /// <param name="host">Where to say it.</param>
    /// <param name="still">What, or where, the messages that were not moved still are.</param>
    /// <param name="open">The id of the plan that is not finished; <see langword="null"/> for none.</param>
    public int? Fail(CliHost host, string still, string? open = null) =>
        Failure is not null ? RetryCtl.Fail(host, ExitCode.Failed, Failure.Message + (open is null || Failure.Message.Contains(open, StringComparison.Ordinal) ? string.Empty : $" {StaysOpen(open)}"))
        : Interrupted ? RetryCtl.Fail(host, ExitCode.Failed, $"Interrupted. Messages that were not moved are still {still}. {(open is null ? "Run this command again for the rest." : StaysOpen(open))}")
        : null;

    private static string StaysOpen(string plan) => $"'retryctl plans resume {plan}' goes on, 'retryctl plans cancel {plan}' gives the rest up; until then the plan keeps others from the lot.";
}
