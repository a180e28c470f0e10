using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>The retry budget as a user of MassTransit sets it; starts are counted by the consumer.</summary>
[Collection(OperatorBroker.Name)]
public sealed class RetryBudgetTests(BrokerFixture broker, ITestOutputHelper output)
{
    private const int Failing = 80;
    private const double Share = 0.2;
    private const double Floor = 1;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_failed_waits_for_successes_wherever_they_are()
    {
        var address = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(address);
        var starts = new ConcurrentQueue<(int Number, int Attempt)>();
        await using var one = await StartAsync(address, starts);
        await using var two = await StartAsync(address, starts);
        var began = Stopwatch.GetTimestamp();
        for (var number = 0; number < Failing; number++)
        {
            await one.Bus.Publish(new Job(number));
        }

        // up to 64 are in the hands of the limiter
        await Eventually.TrueAsync(async () => await raw.CountAsync("jobs.release") > Failing - 64 - 5, Deadline);
        await Scenario.PauseAsync(TimeSpan.FromSeconds(3));
        Retries().ShouldBeLessThanOrEqualTo(Floored(), "without successes only the floor flows");
        var before = Retries();

        const int Successes = 200;
        for (var number = 0; number < Successes; number++)
        {
            await two.Bus.Publish(new Job(Failing + number));
        }

        // each retry that succeeds earns a fifth of another
        await Eventually.TrueAsync(() => Retries() >= before + (Successes * Share), Deadline, () => $"{Retries()} retries, {before} before");
        var retries = Retries();
        var most = ((Successes + retries) * Share) + Floored();
        output.WriteLine($"{before} retries by the floor, {retries} after {Successes} successes, at most {most:0} allowed, {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        ((double)retries).ShouldBeLessThanOrEqualTo(most);
        retries.ShouldBeLessThan(Failing);

        var status = await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "limiter status jobs");
        status.Output.ShouldContain("budget       20 % of successes, at least 1/s");
        (await CommandLineRun.RunAsync(address, broker.Broker.ManagementUri, "policy set jobs --retry-budget 10")).ExitCode.ShouldBe(ExitCode.Done);
        await Eventually.TrueAsync(() => Retries() == Failing, Deadline, () => $"{Retries()} of {Failing} retries");
        await Eventually.TrueAsync(async () => await raw.CountAsync("jobs.release") == 0, Deadline);
        (await raw.CountAsync("jobs.parked")).ShouldBe(0u);

        int Retries() => starts.Count(start => start.Attempt > 1);

        int Floored() => (int)Math.Ceiling(Stopwatch.GetElapsedTime(began).TotalSeconds * Floor) + 1;
    }

    private static Task<RetryService> StartAsync(Uri address, ConcurrentQueue<(int Number, int Attempt)> starts) =>
        RetryService.StartAsync(address, (context, bus) => bus.ReceiveEndpoint("jobs", endpoint =>
        {
            endpoint.SetQuorumQueue();
            endpoint.PrefetchCount = 16;
            endpoint.UseGradientRetry(context, retry =>
            {
                retry.Fixed(TimeSpan.FromMilliseconds(200)).Retries(3);
                retry.RetryBudget(Share, Floor);
            });
            endpoint.Handler<Job>(job =>
            {
                var attempt = job.GetRetryChain().Attempt;
                starts.Enqueue((job.Message.Number, attempt));
                return job.Message.Number < Failing && attempt == 1 ? throw new InvalidOperationException("the first attempt fails") : Task.CompletedTask;
            });
        }));

    public sealed record Job(int Number);
}
