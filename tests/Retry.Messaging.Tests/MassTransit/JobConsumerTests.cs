using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Contracts.JobService;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>A job consumer keeps the retries of the job service, and the service says so at its start.</summary>
public class JobConsumerTests
{
    [Fact]
    public async Task A_job_is_retried_by_the_job_service_alone()
    {
        var runs = new Runs();
        var log = new LogLines("Retry.Messaging.MassTransit.Configuration");
        await using var service = await HarnessService.StartAsync(
            x =>
            {
                x.AddGradientRetry(retry => retry.Fixed(TimeSpan.FromMilliseconds(100)).Retries(8));
                x.AddDelayedMessageScheduler();
                x.SetJobConsumerOptions();
                x.AddJobSagaStateMachines();
                x.AddConsumer<VideoConsumer>(consumer => consumer.Options<JobOptions<Video>>(job => job.SetRetry(retry => retry.Interval(1, TimeSpan.FromMilliseconds(100)))));
            },
            (_, cfg) => cfg.UseDelayedMessageScheduler(),
            services =>
            {
                services.AddSingleton(runs);
                services.AddLogging(logging => logging.AddProvider(log));
            });

        await service.Bus.SubmitJob(Guid.NewGuid(), new Video("1"));

        (await service.Harness.Published.Any<JobFaulted>()).ShouldBeTrue();
        runs.Attempts.ShouldBe([0, 1]);
        log.Written.ShouldContain(line => line.Contains("is a job consumer, whose retries are the job service's"), 1);
    }

    public sealed record Video(string Id);

    public sealed class Runs
    {
        public ConcurrentQueue<int> Attempts { get; } = new();
    }

    public sealed class VideoConsumer(Runs runs) : IJobConsumer<Video>
    {
        public Task Run(JobContext<Video> context)
        {
            runs.Attempts.Enqueue(context.RetryAttempt);
            throw new InvalidOperationException("fails");
        }
    }
}
