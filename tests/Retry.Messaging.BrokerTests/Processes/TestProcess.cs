using System.Diagnostics;
using Retry.Messaging.BrokerTests.Ledger;
using Retry.Messaging.BrokerTests.Testing;

namespace Retry.Messaging.BrokerTests.Processes;

/// <summary>The entry point of this assembly: a test starts it once more, as the process that it needs to kill.</summary>
internal static class TestProcess
{
    public const string BrokerOwnerRole = "broker-owner";
    public const string SlowConsumerRole = "slow-consumer";
    public const string FragileConsumerRole = "fragile-consumer";
    public const string LimiterRole = "limiter";
    public const string OnceConsumerRole = "once-consumer";
    public const string ClimbingConsumerRole = "climbing-consumer";
    public const string CircuitConsumerRole = "circuit-consumer";
    public const string LedgerConsumerRole = "ledger-consumer";
    public const string RecurringRole = "recurring";
    public const string DispatcherRole = "dispatcher";
    public const string CancellerRole = "canceller";
    public const string RetryCtlRole = "retryctl";
    public const string PulseSenderRole = "pulse-sender";
    public const string PulseListenerRole = "pulse-listener";
    public const string ReleasableConsumerRole = "releasable-consumer";
    public const string PlanCarrierRole = "plan-carrier";
    public const string RawMoverRole = "raw-mover";

    public static Task Main(string[] args) => args switch
    {
        [BrokerOwnerRole] => BrokerOwner.RunAsync(),
        [SlowConsumerRole] => SlowConsumer.RunAsync(),
        [FragileConsumerRole] => FragileConsumer.RunAsync(),
        [LimiterRole] => LimiterProcess.RunAsync(),
        [OnceConsumerRole] => OnceConsumer.RunAsync(),
        [ClimbingConsumerRole] => ClimbingConsumer.RunAsync(),
        [CircuitConsumerRole] => CircuitConsumer.RunAsync(),
        [RetryCtlRole] => RetryCtlProcess.RunAsync(),
        [LedgerConsumerRole] => LedgerConsumer.RunAsync(),
        [RecurringRole] => RecurringProcess.RunAsync(),
        [DispatcherRole] => DispatcherProcess.RunAsync(),
        [CancellerRole] => CancellerProcess.RunAsync(),
        [PulseSenderRole] => PulseProcess.SendAsync(),
        [PulseListenerRole] => PulseProcess.ListenAsync(),
        [ReleasableConsumerRole] => ReleasableConsumer.RunAsync(),
        [PlanCarrierRole] => PlanCarrierProcess.RunAsync(),
        [RawMoverRole] => RawMover.RunAsync(),
        _ => throw new ArgumentException($"Unknown role '{string.Join(' ', args)}'; wanted one of the roles above."),
    };

    /// <summary>Starts this assembly in a role. It ends by itself when its standard input does.</summary>
    public static Process Start(string role, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            ArgumentList = { typeof(TestProcess).Assembly.Location, role },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
