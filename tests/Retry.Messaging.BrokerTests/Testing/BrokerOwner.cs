using Retry.Messaging.Testing;

namespace Retry.Messaging.BrokerTests.Testing;

/// <summary>A process that owns a broker and does nothing else, to be killed by a test.</summary>
internal static class BrokerOwner
{
    public const string Ready = "ready";

    public static async Task RunAsync()
    {
        await using var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { OwnNode = true });
        Console.WriteLine(Ready);
        await Console.In.ReadToEndAsync(); // ends with the test, should that be killed first
    }
}
