namespace Payments.Running;

/// <summary>For containers: all three roles against a broker that is there already, until stopped.</summary>
internal static class Endless
{
    public const int SecondsBetweenOutages = 60;

    public static async Task<int> RunAsync(Run run, RunOptions options, CancellationToken cancellationToken)
    {
        Console.WriteLine($"Payments without an end; ledger files in {run.Folder}. The gateway is down for {run.Outage.Length.TotalSeconds:0} s in every {SecondsBetweenOutages}.");
        await using var roles = RoleProcesses.Start(run, Run.Broker, options, logsToFiles: false);
        return await roles.WaitForVerdictAsync(cancellationToken);
    }
}
