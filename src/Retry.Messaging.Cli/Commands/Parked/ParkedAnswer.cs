using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>What the parked commands say alike.</summary>
internal static class ParkedAnswer
{
    /// <summary>Names the ids that were asked for and not found.</summary>
    /// <returns>The exit code.</returns>
    public static int ReportMissing(CliHost host, ParkedPlace place, ParkedTally tally)
    {
        if (tally.Missing.Count == 0)
        {
            return ExitCode.Done;
        }

        return RetryCtl.Fail(
            host,
            ExitCode.Failed,
            $"Found no parked message of '{place.Name}' with id {string.Join(", ", tally.Missing.Order(StringComparer.Ordinal))}. Another operator may have replayed or discarded it, or may be reading it now. Run 'retryctl parked list {place.Typed}'.");
    }
}
