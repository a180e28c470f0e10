using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>An instance that is ill while the target is not takes no messages of the point, and the others do them.</summary>
[Collection(OperatorBroker.Name)]
public sealed class SickNodeTests(BrokerFixture broker, ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task An_instance_that_is_ill_stops_taking_and_comes_back_when_it_is_well()
    {
        var address = await broker.CreateVirtualHostAsync();
        Instance[] instances = [new() { IsIll = true }, new()];
        await using var ill = await StartAsync(address, instances[0]);
        await using var other = await StartAsync(address, instances[1]);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(other, 0, stop.Token);

        await Eventually.TrueAsync(async () => (await HealthAsync(ill)).Status == HealthStatus.Degraded, Deadline);
        output.WriteLine($"{instances[0].Failed.Count()} failed until it stopped");
        instances[0].Failed.Count().ShouldBeLessThan(500);
        instances[0].IsIll = false;
        await Eventually.TrueAsync(() => instances[0].Done > 50, Deadline);

        (await HealthAsync(ill)).Status.ShouldBe(HealthStatus.Healthy);
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(() => instances.Sum(instance => instance.Done) == sent, Deadline);
        instances[1].Failed.ShouldBeEmpty();
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task While_it_is_ill_the_others_do_all_messages_also_when_its_probe_hangs()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        Instance[] instances = [new(), new(), new()];
        await using var ill = await StartAsync(address, instances[0]);
        await using var two = await StartAsync(address, instances[1]);
        await using var three = await StartAsync(address, instances[2]);
        using var stop = new CancellationTokenSource();
        var sending = SendAsync(two, 0, stop.Token);
        await Eventually.TrueAsync(() => instances.All(instance => instance.Done > 30), Deadline);

        instances[0].IsIll = true;
        await Eventually.TrueAsync(() => instances[0].Failed.Count() >= 12, Deadline);
        var twelfth = instances[0].Failed.ElementAt(11).At;
        await Eventually.TrueAsync(() => instances[0].Failed.Count(call => call.At > twelfth + TimeSpan.FromSeconds(5)) > 1, Deadline);

        // it tries itself after 1, 2, 4 and 8 s
        var between = instances[0].Failed.Where(call => call.At > twelfth + TimeSpan.FromSeconds(5)).Select(call => (call.At - twelfth).TotalSeconds).ToList();
        output.WriteLine($"{instances[0].Failed.Count()} failed, later than 5 s after the twelfth: {string.Join(' ', between.Select(at => $"{at:0.0}"))}");
        between.Count.ShouldBe(2);
        instances[1].Failed.Concat(instances[2].Failed).ShouldBeEmpty();
        await SaysItAsync(address, ill);

        // the process goes on with its other point
        for (var number = 0; number < 6; number++)
        {
            await ill.Bus.Publish(new Mail());
        }

        await Eventually.TrueAsync(() => instances[0].Mails > 0, Deadline);

        // a probe that hangs, and nothing waits behind it
        instances[0].Hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Eventually.TrueAsync(() => instances[0].Hanging == 1, Deadline);
        await stop.CancelAsync();
        var sent = await sending;
        await Eventually.TrueAsync(
            () => instances.Sum(instance => instance.Done) == sent - 1,
            Deadline,
            () => $"{instances.Sum(instance => instance.Done)} of {sent} done");

        // a probe that failed used no attempt: who did its message then was the first, as far as the message knows
        var probes = instances[0].Failed.Where(call => call.At > twelfth + TimeSpan.FromSeconds(5) && call.Redeliveries == 0);
        var probed = probes.Select(call => call.Number).ToHashSet();
        probed.ShouldNotBeEmpty();
        instances.SelectMany(instance => instance.Calls).Where(call => probed.Contains(call.Number)).ShouldAllBe(call => call.Redeliveries == 0);

        instances[0].IsIll = false;
        instances[0].Hangs!.SetResult();
        var (well, before) = (DateTimeOffset.UtcNow, instances[0].Done);
        using var again = new CancellationTokenSource();
        var sendingAgain = SendAsync(two, sent, again.Token);
        await Eventually.TrueAsync(() => instances[0].Done > before + 100, Deadline);
        output.WriteLine($"100 done {(DateTimeOffset.UtcNow - well).TotalSeconds:0.0} s after it was well");
        await again.CancelAsync();
        sent = await sendingAgain;
        await Eventually.TrueAsync(() => instances.Sum(instance => instance.Done) >= sent, Deadline);
        await Eventually.TrueAsync(async () => await raw.CountAsync("payments") == 0, Deadline);
        instances.Sum(instance => instance.Done).ShouldBe(sent);
        (await raw.CountAsync("payments.parked")).ShouldBe(0u);
        (await RunAsync(address, "nodes payments")).ExitCode.ShouldBe(ExitCode.Done);
    }

    private async Task SaysItAsync(Uri address, RetryService ill)
    {
        var status = await RunAsync(address, "breaker status payments --json");
        status.Output.ShouldContain("\"version\":0", customMessage: "the circuit of the cluster was never open");
        (await RunAsync(address, "breaker status payments")).Output.ShouldContain("ill, and takes no messages but to try itself: ");
        var nodes = await RunAsync(address, "nodes payments --json");
        nodes.Output.Split("\"ill\":").Length.ShouldBe(2, nodes.Output);
        nodes.ExitCode.ShouldBe(ExitCode.Finding);
        (await RunAsync(address, "nodes payments")).Output.ShouldContain("ILL");
        (await HealthAsync(ill)).Description.ShouldNotBeNull().ShouldContain("This instance is ill and takes no messages, the others do them: ");
    }

    private static async Task<HealthReportEntry> HealthAsync(RetryService service) =>
        (await service.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Name == "gradient-retry")).Entries["gradient-retry"];

    private Task<(int ExitCode, string Output, string Error)> RunAsync(Uri address, string command) => CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, command);

    private static Task<RetryService> StartAsync(Uri address, Instance instance) => RetryService.StartAsync(address, (context, bus) =>
    {
        bus.ReceiveEndpoint("payments", endpoint =>
        {
            endpoint.PrefetchCount = 20;
            endpoint.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromSeconds(1)).Retries(30);
                retry.Breaker(interval: Interval);
            });
            endpoint.Handler<Charge>(instance.CallAsync);
        });
        bus.ReceiveEndpoint("mails", endpoint => endpoint.Handler<Mail>(_ => instance.MailAsync()));
    });

    // numbers of its own for each message
    private static async Task<int> SendAsync(RetryService service, int first, CancellationToken cancellationToken)
    {
        var next = first;
        for (; !cancellationToken.IsCancellationRequested; next++)
        {
            await service.Bus.Publish(new Charge(next), CancellationToken.None);
            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }

        return next;
    }

    public sealed record Charge(int Number);

    public sealed record Mail;

    private sealed record Call(DateTimeOffset At, int Number, int Redeliveries, bool IsDone);

    /// <summary>One instance, and what it calls.</summary>
    private sealed class Instance
    {
        private volatile TaskCompletionSource? _hangs;
        private volatile bool _isIll;
        private int _hanging;
        private int _mails;

        public bool IsIll
        {
            get => _isIll;
            set => _isIll = value;
        }

        public TaskCompletionSource? Hangs
        {
            get => _hangs;
            set => _hangs = value;
        }

        public ConcurrentQueue<Call> Calls { get; } = new();

        public IEnumerable<Call> Failed => Calls.Where(call => !call.IsDone);

        public int Done => Calls.Count(call => call.IsDone);

        public int Hanging => Volatile.Read(ref _hanging);

        public int Mails => Volatile.Read(ref _mails);

        public Task MailAsync()
        {
            Interlocked.Increment(ref _mails);
            return Task.CompletedTask;
        }

        public async Task CallAsync(ConsumeContext<Charge> charge)
        {
            if (_hangs is { Task.IsCompleted: false } hangs)
            {
                Interlocked.Increment(ref _hanging);
                await hangs.Task.WaitAsync(charge.CancellationToken);
            }

            var fails = IsIll;
            if (!fails)
            {
                // who fails at once takes more than the others
                await Simulate.WorkAsync(TimeSpan.FromMilliseconds(20), charge.CancellationToken);
            }

            Calls.Enqueue(new Call(DateTimeOffset.UtcNow, charge.Message.Number, charge.GetRedeliveryCount(), !fails));
            if (fails)
            {
                throw new InvalidOperationException("the gateway is away");
            }
        }
    }
}
