using System.Diagnostics;
using System.Globalization;
using Retry.Messaging.BrokerTests.Processes;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary>What the pulse costs, as the operating system counts it: in processes of their own.</summary>
[Collection(OperatorBroker.Name)]
public sealed class PulseCostTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    [Fact]
    [Trait("Category", "Long")]
    public async Task Nobody_pays_while_nobody_listens()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var sender = Start(TestProcess.PulseSenderRole, address, senders: 1);
        using var silent = Start(TestProcess.PulseSenderRole, address, senders: 0);

        var (with, without) = (await CostAsync(sender), await CostAsync(silent));
        sender.StandardInput.Close();
        silent.StandardInput.Close();
        await Task.WhenAll(sender.WaitForExitAsync(), silent.WaitForExitAsync());

        output.WriteLine(FormattableString.Invariant(
            $"{PulseProcess.Points} busy points: {with.Share:P2} of a processor with the pulse, {without.Share:P2} without"));
        (with.Share - without.Share).ShouldBeLessThan(0.005);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Who_listens_to_a_hundred_processes_with_twenty_points_each_takes_less_than_a_twentieth_of_a_processor()
    {
        var address = await broker.CreateVirtualHostAsync();
        using var senders = Start(TestProcess.PulseSenderRole, address, senders: 100);
        using var listener = Start(TestProcess.PulseListenerRole, address, senders: 0);

        var (share, heard) = await CostAsync(listener);
        senders.StandardInput.Close();
        await Task.WhenAll(senders.WaitForExitAsync(), listener.WaitForExitAsync());

        output.WriteLine(FormattableString.Invariant($"listening to {heard / PulseProcess.Measured.TotalSeconds:0} pulses a second: {share:P2} of a processor"));
        // one each second from each, but for what a busy machine delays
        (heard / PulseProcess.Measured.TotalSeconds).ShouldBeInRange(70, 105);
        share.ShouldBeLessThan(0.05);
    }

    private static Process Start(string role, Uri address, int senders) => TestProcess.Start(role, new Dictionary<string, string>
    {
        [PulseProcess.BrokerVariable] = address.AbsoluteUri,
        [PulseProcess.SendersVariable] = senders.ToString(CultureInfo.InvariantCulture),
    });

    private static async Task<(double Share, int Count)> CostAsync(Process process)
    {
        var words = (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldNotBeNull().Split(' ');
        return (double.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
