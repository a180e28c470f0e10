using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Configuration;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;
using Retry.Messaging.MassTransit;
using Retry.Messaging.Tests.Idempotency;

namespace Retry.Messaging.Tests.MassTransit;

public sealed record Charge(string PaymentId, decimal Amount);

public sealed record Charged(string PaymentId, string Receipt);

public sealed record Booked(string PaymentId, string Entry);

/// <summary>A message as a witness got it.</summary>
public sealed record Seen(Guid? MessageId, Guid? CorrelationId, string Content);

/// <summary>A service whose consumer charges, answers and books, on an endpoint without retries: an attempt that is used shows.</summary>
internal sealed class OnceService : IAsyncDisposable
{
    public const string Queue = "payments";
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly SqliteFile _file;
    private readonly HarnessService _service;

    private OnceService(SqliteFile file, HarnessService service)
    {
        _file = file;
        _service = service;
    }

    public ITestHarness Harness => _service.Harness;

    public IReadOnlyList<object> Faults => _service.Faults;

    /// <summary>What the consumers do, and did.</summary>
    public Till Till => Harness.Provider.GetRequiredService<Till>();

    public int Effects => _file.Count();

    public static async Task<OnceService> StartAsync(
        Func<ConsumeContext<Charge>, Task>? charge = null,
        Action<IdempotencyBuilder>? once = null,
        Action<RetryPointBuilder>? retry = null,
        Func<IIdempotencyStore, IIdempotencyStore>? decorate = null,
        Action<IRegistrationContext, IReceiveEndpointConfigurator>? endpoint = null,
        Action<IRegistrationContext, IConsumerConfigurator<TillConsumer>>? consumer = null,
        bool skipDelays = true,
        TimeProvider? clock = null)
    {
        var file = new SqliteFile();
        try
        {
            var service = await HarnessService.StartAsync(
                x =>
                {
                    x.AddGradientRetry(all => (retry ?? (none => none.Fixed(TimeSpan.FromSeconds(1)).Retries(0))).Invoke(all));
                    x.AddConsumer<TillConsumer>();
                    x.AddConsumer<AuditConsumer>();
                },
                (context, cfg) =>
                {
                    cfg.ReceiveEndpoint(Queue, e =>
                    {
                        e.UseIdempotency(context, once);
                        endpoint?.Invoke(context, e);
                        e.ConfigureConsumer<TillConsumer>(context, configurator => consumer?.Invoke(context, configurator));
                    });
                    var till = context.GetRequiredService<Till>();
                    cfg.ReceiveEndpoint("witness", e => e.Handler<Booked>(message =>
                    {
                        till.Booked.Enqueue(Till.See(message));
                        return Task.CompletedTask;
                    }));
                },
                collection =>
                {
                    collection.AddSingleton(new Till { Charge = charge ?? Till.ChargeAsync });
                    collection.AddMetrics();
                    collection.AddSqliteIdempotency(file.ConnectionString);
                    if (decorate is not null)
                    {
                        collection.AddSingleton(_ => decorate(Open(file, clock ?? TimeProvider.System)));
                    }
                });
            if (skipDelays)
            {
                service.Harness.SkipRetryDelays();
            }

            return new OnceService(file, service);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens the store as another process would, whose clock shows another time.</summary>
    public SqliteIdempotencyStore OpenStore(TimeSpan ahead) => Open(_file, new FakeTimeProvider(TimeProvider.System.GetUtcNow() + ahead));

    public async Task<Response<Charged>> RequestAsync(Charge charge, Guid? messageId = null) =>
        await Harness.GetRequestClient<Charge>().GetResponse<Charged>(
            charge,
            request => request.UseExecute(context => context.MessageId = messageId ?? NewId.NextGuid()),
            default,
            RequestTimeout.After(s: 20));

    public Task SendAsync(Charge charge, Guid? messageId = null) =>
        Harness.Bus.Publish(charge, context => context.MessageId = messageId ?? NewId.NextGuid());

    /// <summary>Stops the bus, which finishes what it has begun.</summary>
    public Task StopAsync() => _service.StopAsync();

    private static SqliteIdempotencyStore Open(SqliteFile file, TimeProvider time) => new(file.ConnectionString, TimeSpan.FromDays(7), time);

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        _file.Dispose();
    }
}
