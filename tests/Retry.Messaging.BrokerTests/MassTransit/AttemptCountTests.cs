using System.Collections.Concurrent;
using System.Text;
using MassTransit;
using Retry.Messaging.BrokerTests.Observing;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.MassTransit;

[Collection(SharedBroker.Name)]
public sealed class AttemptCountTests(BrokerFixture broker)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(8, 9)]
    public async Task Makes_as_many_attempts_as_configured_over_three_instances(int retries, int attempts)
    {
        const int messages = 500;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Job>());
        var runs = new ConcurrentDictionary<string, ConcurrentQueue<int>>();
        await using var one = await StartAsync(uri, retries, runs);
        await using var two = await StartAsync(uri, retries, runs);
        await using var three = await StartAsync(uri, retries, runs);

        await SendAsync(one, messages);

        await raw.WaitForCountAsync("jobs.parked", messages, Deadline);
        await raw.WaitForCountAsync(faults, messages, Deadline);
        runs.Count.ShouldBe(messages);
        runs.Values.ShouldAllBe(run => run.Order().SequenceEqual(Enumerable.Range(1, attempts)));
        (await raw.DrainAsync("jobs.parked")).Select(message => Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers!["retry-id"]!)).Distinct().Count().ShouldBe(messages);
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(messages);
        foreach (var service in new[] { one, two, three })
        {
            await service.StopAsync();
        }

        (await raw.CountAsync("jobs")).ShouldBe(0u);
        (await raw.CountAsync("jobs_error")).ShouldBeNull();
        (await raw.CountAsync("jobs_skipped")).ShouldBeNull();
    }

    [Fact]
    public async Task A_new_count_applies_from_the_next_failure()
    {
        const int messages = 50;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var runs = new ConcurrentDictionary<string, ConcurrentQueue<int>>();
        await using (var old = await StartAsync(uri, 8, runs, TimeSpan.FromSeconds(3)))
        {
            await SendAsync(old, messages);
            await raw.WaitForCountAsync("retry.v1.3s", messages, Deadline);
        }

        // attempt 1 has failed everywhere; the new count of 2 retries leaves attempts 2 and 3
        await using var renewed = await StartAsync(uri, 2, runs, TimeSpan.FromMilliseconds(100));
        await raw.WaitForCountAsync("jobs.parked", messages, Deadline);

        runs.Values.ShouldAllBe(run => run.SequenceEqual(new[] { 1, 2, 3 }));
    }

    [Fact]
    public async Task Sends_no_fault_for_what_succeeds_on_its_last_attempt()
    {
        const int messages = 100;
        var uri = await broker.CreateVirtualHostAsync();
        await using var raw = await RawClient.ConnectAsync(uri);
        var faults = await raw.TapAsync(FaultExchange.Of<Job>());
        var done = new CountdownEvent(messages / 2);
        await using var service = await RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("jobs", e =>
        {
            e.PrefetchCount = 64;
            e.UseGradientRetry(context, retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(2));
            e.Handler<Job>(job =>
            {
                if (job.Message.Number % 2 == 0 && job.GetRedeliveryCount() == 2)
                {
                    done.Signal();
                    return Task.CompletedTask;
                }

                throw new InvalidOperationException("odd ones never succeed");
            });
        }));

        await SendAsync(service, messages);

        (await Task.Run(() => done.Wait(Deadline))).ShouldBeTrue();
        await raw.WaitForCountAsync("jobs.parked", messages / 2, Deadline);
        await raw.WaitForCountAsync(faults, messages / 2, Deadline);
        await service.StopAsync();
        (await raw.DrainAsync(faults)).Select(fault => fault.BasicProperties.MessageId).Distinct().Count().ShouldBe(messages / 2);
        (await raw.CountAsync("jobs")).ShouldBe(0u);
        (await raw.CountAsync("jobs_error")).ShouldBeNull();
        (await raw.CountAsync("jobs_skipped")).ShouldBeNull();
    }

    private static async Task SendAsync(RetryService service, int messages)
    {
        var endpoint = await service.Bus.GetSendEndpoint(new Uri("queue:jobs"));
        await Task.WhenAll(Enumerable.Range(0, messages).Select(i => endpoint.Send(new Job(i))));
    }

    private static Task<RetryService> StartAsync(Uri uri, int retries, ConcurrentDictionary<string, ConcurrentQueue<int>> runs, TimeSpan? delay = null) =>
        RetryService.StartAsync(uri, (context, cfg) => cfg.ReceiveEndpoint("jobs", e =>
        {
            e.PrefetchCount = 64;
            e.UseGradientRetry(context, retry => retry.Fixed(delay ?? TimeSpan.FromMilliseconds(100)).Retries(retries));
            e.Handler<Job>(job =>
            {
                runs.GetOrAdd(job.MessageId!.Value.ToString(), _ => new()).Enqueue(job.GetRedeliveryCount() + 1);
                throw new InvalidOperationException("never");
            });
        }));

    public sealed record Job(int Number);
}
