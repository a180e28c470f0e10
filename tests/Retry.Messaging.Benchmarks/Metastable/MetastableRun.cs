using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Configuration;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary>Two services that call one target at 0.8 of its capacity, which is halved for a time.</summary>
/// <param name="Name">What is other about this run.</param>
/// <param name="After">For how many seconds it goes on when the target is well again.</param>
/// <param name="Protect">Sets what protects the target.</param>
internal sealed record MetastableRun(string Name, int After, Action<RetryPointBuilder> Protect)
{
    /// <summary>For how many seconds all is well at first.</summary>
    public const int Before = 20;

    /// <summary>For how many seconds the target has half its capacity.</summary>
    public const int Halved = 30;

    /// <summary>How many messages a second are sent.</summary>
    public const int Offered = SlowTarget.Capacity * 8 / 10;

    private const string Queue = "payments";
    private const int Services = 2;

    // together they can call more than twice as often as the target can answer: otherwise they could not overload it
    private const ushort Concurrency = 128;
    private const int ReportEach = 5;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs it.</summary>
    /// <returns>What the target noted, from the first message on.</returns>
    public async Task<IReadOnlyList<LedgerSecond>> RunAsync(PrivateBroker broker, Action<string> report, CancellationToken cancellationToken)
    {
        await using var host = await MeasuredHost.CreateAsync(broker, cancellationToken);
        var ledger = new Ledger();
        await using var target = new SlowTarget(ledger);
        List<BusHost> services = [];
        try
        {
            for (var service = 0; service < Services; service++)
            {
                services.Add(await BusHost.StartAsync(host.Address, withRetry: true, Configure, cancellationToken));
            }

            ledger.Begin();
            await SendAsync(services[0].Services.GetRequiredService<IBus>(), target, ledger, report, cancellationToken);
            return ledger.Ended;

            void Configure(IBusRegistrationContext context, IRabbitMqBusFactoryConfigurator bus) => bus.ReceiveEndpoint(Queue, endpoint =>
            {
                endpoint.SetQuorumQueue();
                endpoint.PrefetchCount = Concurrency;
                endpoint.UseGradientRetry(context, retry =>
                {
                    retry.Fixed(Delay).Retries(1000);
                    retry.AttemptTimeout(Timeout);
                    Protect(retry);
                });
                endpoint.Handler<Parcel>(parcel => target.CallAsync(parcel.Message.Number, parcel.CancellationToken));
            });
        }
        finally
        {
            await Task.WhenAll(services.Select(service => service.DisposeAsync().AsTask()));
        }
    }

    private async Task SendAsync(IBus bus, SlowTarget target, Ledger ledger, Action<string> report, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var (sent, reported) = (0, 0);
        while (Stopwatch.GetElapsedTime(began).TotalSeconds is var now && now < Before + Halved + After)
        {
            target.Slow(now is >= Before and < Before + Halved ? 2 : 1);
            for (; sent < now * Offered; sent++)
            {
                await bus.Publish(new Parcel(sent, string.Empty), cancellationToken);
            }

            if (now >= reported + ReportEach)
            {
                reported += ReportEach;
                var last = ledger.Ended.TakeLast(ReportEach).ToList();
                report(FormattableString.Invariant($"{Name}: {reported - Before - Halved,4} s  {last.Average(second => second.Called),4:0} calls/s, {last.Average(second => second.Answered),3:0}/s answered in time, {last.Average(second => second.Wasted),3:0}/s served too late, {target.Waiting,3} wait"));
            }

            await Simulate.WorkAsync(Tick, cancellationToken);
        }
    }
}
