using System.Text.Json;
using Retry.Messaging.BrokerTests.Cli;

namespace Retry.Messaging.BrokerTests.Plans;

/// <summary>The plan that is open in a virtual host, as <c>plans list</c> tells it.</summary>
internal static class OpenPlan
{
    /// <summary>Finds it.</summary>
    /// <returns>Its id, or <see langword="null"/> where all have ended.</returns>
    public static async Task<string?> FindAsync(Uri broker)
    {
        var (_, output, _) = await CommandLineRun.RunAsync(broker, null, "plans list --json");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(plan => plan.GetProperty("state").GetString() is "CutOff" or "Stopped" or "Running")
            .Select(plan => plan.GetProperty("id").GetString())
            .SingleOrDefault();
    }
}
