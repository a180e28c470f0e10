namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>What one side did in one round.</summary>
/// <param name="Messages">How many messages went all the way.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="ClientCpu">What this process computed meanwhile.</param>
/// <param name="BrokerCpu">What the broker's process computed meanwhile; null where it runs elsewhere.</param>
/// <param name="OthersShare">The share of the machine that others used meanwhile; null where nobody can tell.</param>
internal sealed record Sample(int Messages, TimeSpan Elapsed, TimeSpan ClientCpu, TimeSpan? BrokerCpu, double? OthersShare)
{
    public double PerSecond => Messages / Elapsed.TotalSeconds;

    public double ClientMicroseconds => ClientCpu.TotalMicroseconds / Messages;

    public double? BrokerMicroseconds => BrokerCpu?.TotalMicroseconds / Messages;
}
