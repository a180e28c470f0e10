using MassTransit;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Measuring;
using Retry.Messaging.Benchmarks.Raw;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>One side that fails every parcel once and notes how late it comes back: a service of ours, or the raw loop.</summary>
/// <remarks>Groups of parcels overlap while a long delay passes, so a parcel's number tells its group.</remarks>
internal sealed class LatenessSide : IAsyncDisposable
{
    /// <summary>How many parcels a group has at most.</summary>
    public const int GroupSize = 1 << 15;

    private const ushort RawPrefetch = 1000;
    private const ushort ServicePrefetch = 200;

    private readonly string _queue;
    private readonly Lateness[] _groups;
    private readonly Func<BasicProperties, BasicProperties> _climbing;
    private readonly List<IAsyncDisposable> _running = [];
    private int _next;

    private LatenessSide(string name, string queue, int groups, Func<BasicProperties, BasicProperties> climbing) => (Name, _queue, _groups, _climbing) = (name, queue, new Lateness[groups], climbing);

    public string Name { get; }

    /// <summary>Starts a service with graded retry.</summary>
    /// <param name="broker">The virtual host.</param>
    /// <param name="raw">Declares the queue.</param>
    /// <param name="delay">The delay at the moment of a failure.</param>
    /// <param name="groups">How many groups there will be.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<LatenessSide> StartOursAsync(Uri broker, RawClient raw, Func<TimeSpan> delay, int groups, CancellationToken cancellationToken)
    {
        var side = new LatenessSide("ours", "late-ours", groups, static sent => FailedParcel.Climbing(sent, "late-ours"));
        await raw.DeclareAsync(side._queue, cancellationToken);
        side._running.Add(await BusHost.StartAsync(
            broker,
            withRetry: true,
            (registration, cfg) => cfg.ReceiveEndpoint(side._queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = ServicePrefetch;
                e.UseGradientRetry(registration, retry => retry.RetryAfter<ParcelDelayedException>(exception => exception.Delay));
                e.Handler<Parcel>(parcel =>
                {
                    if (parcel.GetRedeliveryCount() == 0)
                    {
                        var wait = delay();
                        side.Failed(parcel.Message.Number, DelayLadder.RoundUp(wait));
                        throw new ParcelDelayedException(wait);
                    }

                    side.Returned(parcel.Message.Number);
                    return Task.CompletedTask;
                });
            }),
            cancellationToken));
        return side;
    }

    /// <summary>Starts the raw loop.</summary>
    /// <param name="raw">The connection.</param>
    /// <param name="delay">The delay at the moment of a failure.</param>
    /// <param name="groups">How many groups there will be.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<LatenessSide> StartRawAsync(RawClient raw, Func<TimeSpan> delay, int groups, CancellationToken cancellationToken)
    {
        var side = new LatenessSide("raw ladder", "late-raw", groups, static sent => sent);
        await raw.DeclareAsync(side._queue, cancellationToken);
        await TopologyDeclarer.DeclareAsync(raw.Connection, TopologyPlan.Point(RetryPointNames.For(side._queue), withRelease: false), cancellationToken: cancellationToken);
        side._running.Add(await RawRetryLoop.StartAsync(
            raw.Connection,
            side._queue,
            RawPrefetch,
            number =>
            {
                var route = DelayLadder.Route(delay(), side._queue);
                side.Failed(number, route.Delay);
                return route;
            },
            side.Returned,
            copy: null,
            cancellationToken));
        return side;
    }

    /// <summary>Opens a group.</summary>
    /// <param name="count">How many parcels it has.</param>
    /// <returns>What will be known of it, and the number of its first parcel.</returns>
    public (Lateness Group, int First) Open(int count)
    {
        var index = _next++;
        return (_groups[index] = new Lateness(count), index * GroupSize);
    }

    /// <summary>Publishes one parcel to the work queue.</summary>
    public ValueTask FeedAsync(RawPublisher publisher, int number, CancellationToken cancellationToken) =>
        publisher.PublishAsync(string.Empty, _queue, ParcelBody.Properties(number), ParcelBody.Of(number), cancellationToken);

    /// <summary>Publishes one parcel to the ladder, as if it had just failed.</summary>
    public ValueTask PutOnLadderAsync(RawPublisher publisher, int number, TimeSpan delay, CancellationToken cancellationToken)
    {
        var route = DelayLadder.Route(delay, _queue);
        Failed(number, route.Delay);
        return publisher.PublishAsync(route.Exchange, route.RoutingKey, _climbing(ParcelBody.Properties(number)), ParcelBody.Of(number), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _running)
        {
            await service.DisposeAsync();
        }
    }

    private void Failed(int number, TimeSpan delay) => _groups[number / GroupSize].Failed(number % GroupSize, delay);

    private void Returned(int number) => _groups[number / GroupSize].Returned(number % GroupSize);
}
