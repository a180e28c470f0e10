using System.Collections.Concurrent;
using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Retry.Messaging.BrokerTests.Cli;
using Retry.Messaging.BrokerTests.Limiter;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Lost;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>The broker takes a delivery away that is held for longer than its consumer timeout, five seconds here.</summary>
public sealed class ConsumerTimeoutTests(ShortConsumerTimeout node, ITestOutputHelper output) : IClassFixture<ShortConsumerTimeout>, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LastSecond = TimeSpan.FromSeconds(1);

    // What is held for so long that it is due goes straight to its queue, and needs no rung. Three seconds are meant to be held, and a busy machine
    // made more than five of them. More than nine would enter the ladder above the exchange that is missing.
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(9);

    private readonly ConcurrentQueue<(TimeSpan At, int Number, int Retries)> _runs = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly LogLines _log = new();
    private Uri? _uri;

    /// <summary>The first run of the first message does not end, and does not listen to its token.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_endpoint_whose_consumer_hangs_works_again_within_a_minute(bool singleActive)
    {
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StartAsync(
            await node.Broker.CreateVirtualHostAsync(),
            e => e.SingleActiveConsumer = singleActive,
            _ => _runs.Count == 1 ? hangs.Task : Task.CompletedTask);
        await service.Bus.Publish(new Job(0));

        await WaitForRunsAsync(2);
        await service.Bus.Publish(new Job(1));
        await WaitForRunsAsync(3);

        output.WriteLine(string.Join(' ', _runs));
        hangs.SetResult();
        _runs.Select(run => (run.Number, run.Retries)).ShouldBe([(0, 0), (0, 0), (1, 0)]);
    }

    /// <summary>An outcome that cannot be published: its delivery goes back after three of the five seconds, and its attempt is repeated under its number.</summary>
    [Fact]
    public async Task What_is_held_goes_back_before_the_broker_takes_it()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        (await CommandLineRun.RunAsync(uri, null, "topology apply")).ExitCode.ShouldBe(ExitCode.Done);
        await DeleteExchangeAsync(raw, "retry.v1.s");
        await using var service = await StartAsync(uri, _ => { }, job => job.GetRedeliveryCount() == 0 ? throw new InvalidOperationException("once") : Task.CompletedTask);
        await service.Bus.Publish(new Job(0));
        await WaitForRunsAsync(2);

        await ApplyAsync(uri);
        await WaitForAsync(() => _runs.Any(run => run.Retries == 1));

        output.WriteLine(string.Join(' ', _runs));
        var firsts = _runs.Where(run => run.Retries == 0).Select(run => run.At).ToList();
        (firsts[1] - firsts[0]).ShouldBeInRange(ShortConsumerTimeout.Timeout * HoldTime.Share - LastSecond, ShortConsumerTimeout.Timeout, "given back, not taken");
        _runs.Count(run => run.Retries == 1).ShouldBe(1);
        _runs.ShouldAllBe(run => run.Retries <= 1);
    }

    /// <summary>Given back again and again, the broker would drop the message, for good where nothing is dead-lettered.</summary>
    [Fact]
    public async Task Near_the_delivery_limit_an_outcome_waits_with_the_lost_messages_and_goes_on_by_itself()
    {
        var uri = await node.Broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        (await CommandLineRun.RunAsync(uri, null, "topology apply")).ExitCode.ShouldBe(ExitCode.Done);
        await DeleteExchangeAsync(raw, "retry.v1.s");
        await using var service = await StartAsync(
            uri,
            e => e.SetQueueArgument("x-delivery-limit", 2),
            job => job.GetRedeliveryCount() == 0 ? throw new InvalidOperationException("once") : Task.CompletedTask);
        await service.Bus.Publish(new Job(0));
        // long enough for the broker to have counted to the limit, were it given back each time
        await WaitForAsync(() => _runs.Count >= 4 || _runs.Any(run => run.Retries == 1) || raw.CountAsync(BrokerNames.LostQueue).GetAwaiter().GetResult() > 0);

        await ApplyAsync(uri);
        await WaitForAsync(() => _runs.Any(run => run.Retries == 1));

        output.WriteLine(string.Join(' ', _runs));
        await raw.WaitForCountAsync(BrokerNames.LostQueue, 0, Deadline);
        _runs.Count(run => run.Retries == 1).ShouldBe(1);
        if (Version.Parse(node.Broker.Version) < new Version(4, 3))
        {
            // since 4.3 what a consumer gives back is not counted
            _log.Lines.ShouldContain(line => line.Contains("because its outcome could not be published and the broker would drop it after a few more returns"));
        }
    }

    public void Dispose() => _log.Dispose();

    private Task<RetryService> StartAsync(Uri uri, Action<IRabbitMqReceiveEndpointConfigurator> endpoint, Func<ConsumeContext<Job>, Task> consume) => RetryService.StartAsync(
        _uri = uri,
        (context, cfg) => cfg.ReceiveEndpoint("work", e =>
        {
            e.SetQuorumQueue();
            e.PrefetchCount = 4;
            endpoint(e);
            e.UseGradientRetry(context, retry => retry.Fixed(Delay).Retries(3));
            e.Handler<Job>(async job =>
            {
                _runs.Enqueue((_clock.Elapsed, job.Message.Number, job.GetRedeliveryCount()));
                await consume(job);
            });
        }),
        x => x.AddGradientRetry(options =>
        {
            options.ManageTopology = TopologyManagement.Verify;
            options.ConsumerTimeout = ShortConsumerTimeout.Timeout;
            options.LostRounds = new LostRounds { First = LastSecond, Interval = LastSecond * 2, Shortest = LastSecond };
        }),
        services: services =>
        {
            _log.AddTo(services);
            // MassTransit waits for a channel whose consumer did not end with it, for as long as the host lets it
            services.PostConfigure<HostOptions>(options => options.ShutdownTimeout = ShortConsumerTimeout.Timeout);
        });

    // no management API is named, so the policy of the work queue is printed instead of written
    private static async Task ApplyAsync(Uri uri) => (await CommandLineRun.RunAsync(uri, null, "topology apply --point work")).ExitCode.ShouldBe(ExitCode.Finding);

    private static async Task DeleteExchangeAsync(RawClient raw, string exchange)
    {
        await using var channel = await raw.Connection.CreateChannelAsync();
        await channel.ExchangeDeleteAsync(exchange);
    }

    private Task WaitForRunsAsync(int count) => WaitForAsync(() => _runs.Count >= count);

    private async Task WaitForAsync(Func<bool> happened)
    {
        if (!await Eventually.IsTrueAsync(happened, Deadline))
        {
            throw new TimeoutException(string.Join('\n', _log.Lines.Append(string.Join(' ', _runs)).Append(await QueuesAsync())));
        }
    }

    private async Task<string> QueuesAsync()
    {
        await using var raw = await RawClient.ConnectAsync(_uri!);
        var counts = new List<string>();
        foreach (var queue in (string[])["work", "work_error", "work.parked", BrokerNames.LostQueue])
        {
            counts.Add($"{queue}: {await raw.CountAsync(queue)}");
        }

        return string.Join(", ", counts);
    }

    public sealed record Job(int Number);
}
