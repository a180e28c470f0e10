using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using MassTransit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Configuration;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.MassTransit;

/// <summary>A service whose messages fail all the time, and the ledger of their runs.</summary>
internal sealed class SickService : IAsyncDisposable
{
    public const string Queue = "sick";
    public const int Messages = 1000;
    public const int Window = 200;
    public const int Retries = 2;

    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Uri _uri;
    private readonly int _messages;
    private readonly int _window;
    private readonly ConcurrentDictionary<int, ConcurrentQueue<int>> _runs = new();
    private RetryService _service = null!;
    private RawClient? _raw;

    private SickService(Uri uri, int messages, int window)
    {
        _uri = uri;
        _messages = messages;
        _window = window;
    }

    public LogLines Log { get; } = new();

    public RawClient Raw => _raw!;

    public int Runs => _runs.Values.Sum(run => run.Count);

    public int Parked { get; private set; }

    // one line for each parked message is no complaint
    public IEnumerable<string> Complaints => Log.Lines.Where(line => !line.Contains("is parked as", StringComparison.Ordinal));

    public static async Task<SickService> StartAsync(Uri uri, TopologyManagement manage = TopologyManagement.OnStart, bool connect = true, bool gated = false, TimeSpan? delay = null, int messages = Messages, ushort window = Window)
    {
        var self = new SickService(uri, messages, window);
        if (!gated)
        {
            self.Open();
        }

        self._service = await RetryService.StartAsync(
            uri,
            (context, cfg) => cfg.ReceiveEndpoint(Queue, e =>
            {
                e.SetQuorumQueue();
                e.PrefetchCount = window;
                e.UseGradientRetry(context, retry => retry.Fixed(delay ?? TimeSpan.FromSeconds(1)).Retries(Retries));
                e.Handler<Job>(async job =>
                {
                    self._runs.GetOrAdd(job.Message.Number, _ => new()).Enqueue(job.GetRedeliveryCount() + 1);
                    await self._gate.Task;
                    throw new InvalidOperationException("never");
                });
            }),
            x => x.AddGradientRetry(options => options.ManageTopology = manage),
            hostOptions: options => options.WaitUntilStarted = connect,
            services: self.Log.AddTo);
        if (connect)
        {
            await self.ReconnectAsync();
            if (manage == TopologyManagement.OnStart)
            {
                await self.Raw.WaitForCountAsync(Queue + ".parked", 0, Deadline);
            }
        }

        return self;
    }

    /// <summary>Lets the consumers fail.</summary>
    public void Open() => _gate.TrySetResult();

    public async Task WaitForRunsAsync()
    {
        await Eventually.TrueAsync(() => Runs >= _window, Deadline);
    }

    public async Task ReconnectAsync()
    {
        Exception? cause = null;
        await Eventually.TrueAsync(ConnectAsync, Deadline, () => $"{cause}", every: TimeSpan.FromMilliseconds(200));

        async Task<bool> ConnectAsync()
        {
            try
            {
                _raw = await RawClient.ConnectAsync(_uri);
                return true;
            }
            catch (BrokerUnreachableException exception)
            {
                cause = exception;
                return false;
            }
        }
    }

    public Task PublishAsync(int padding = 0) => Raw.PublishManyAsync(string.Empty, Queue, Enumerable.Range(0, _messages).Select(i => (
        Encoding.UTF8.GetBytes($$"""{"messageType":["{{MessageUrn.ForTypeString<Job>()}}"],"message":{"number":{{i}}, "padding":"{{new string('x', padding)}}"} }"""),
        new BasicProperties { ContentType = "application/vnd.masstransit+json", MessageId = Guid.NewGuid().ToString(), DeliveryMode = DeliveryModes.Persistent })));

    /// <summary>Each of them is parked, for its attempts and nothing else; where a connection was lost, some may be there twice.</summary>
    public async Task ShouldHaveParkedAllAsync(bool forksAllowed = false)
    {
        var parked = new List<BasicGetResult>();
        // a broker that is just back gets a moment for its queues
        await Scenario.PauseAsync(Look);
        await Eventually.TrueAsync(
            async () =>
            {
                parked.AddRange(await Raw.DrainAsync(Queue + ".parked"));
                return parked.Select(message => message.Header("retry-id")).Distinct().Count() >= _messages;
            },
            Deadline,
            () => $"{parked.Count} of {_messages} parked",
            every: Look);

        await _service.StopAsync();
        parked.AddRange(await Raw.DrainAsync(Queue + ".parked"));
        Parked = parked.Count;
        parked.ShouldAllBe(message => message.Reason() == "Exhausted" && message.Header("retry-attempt") == (Retries + 2).ToString(CultureInfo.InvariantCulture));
        _runs.Count.ShouldBe(_messages);
        _runs.Values.ShouldAllBe(run => run.Distinct().Order().SequenceEqual(Enumerable.Range(1, Retries + 1)));
        if (!forksAllowed)
        {
            Parked.ShouldBe(_messages);
            (await Raw.CountAsync(Queue)).ShouldBe(0u);
        }

        (await Raw.CountAsync(Queue + "_error")).ShouldBeNull();
        (await Raw.CountAsync(Queue + "_skipped")).ShouldBeNull();
    }

    public void ShouldHaveRunOnceForEachAttempt() => _runs.Values.ShouldAllBe(run => run.Count == Retries + 1);

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        if (_raw is not null)
        {
            await _raw.DisposeAsync();
        }
    }

    public sealed record Job(int Number);
}
