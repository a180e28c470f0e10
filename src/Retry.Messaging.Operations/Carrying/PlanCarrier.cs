using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Lots;

namespace Retry.Messaging.Operations.Carrying;

/// <summary>Carries out plans that nobody looks after: those that were detached, and those that a service left unfinished.</summary>
/// <remarks>
/// <list type="number">
/// <item>The plans are followed. One that is unattended, and that nobody works on, is resumed, by the same door as by an operator: of several
/// services one enters, and the journal knows what the last one has moved.</item>
/// <item>One that cannot go on, because its work queue is full for example, is tried again, ten seconds to a minute later.</item>
/// <item>An operator who resumes or cancels one asks for it: it is stopped in good order, and is theirs.</item>
/// <item>When the service stops, so does the plan, in good order; the next service goes on with it.</item>
/// </list>
/// </remarks>
internal sealed partial class PlanCarrier(IBrokerConnection broker, TimeProvider time, ILogger<PlanCarrier> logger) : BrokerService(broker, time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly string _by = $"{Environment.MachineName}:{Environment.ProcessId}";
    private readonly ConcurrentDictionary<string, CarriedPlan> _carried = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    protected override async Task ServeAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var log = await PlanLog.OpenAsync(connection, declare: true, Time, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var sign = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var signEnds = sign.ConfigureAwait(false);
        await CarrierSign.ShowAsync(sign, cancellationToken).ConfigureAwait(false);
        var reader = new PlansReader(connection, Time);
        while (log.Failure is null)
        {
            foreach (var (plan, progress) in await reader.ReadAsync(log, cancellationToken).ConfigureAwait(false))
            {
                if (!plan.IsOver && plan.Terms is { IsUnattended: true, ErrorQueue: null })
                {
                    LookAfter(connection, plan, progress, cancellationToken);
                }
            }

            await Task.Delay(BetweenLooks, Time, cancellationToken).ConfigureAwait(false);
        }

        throw new ParkingException(log.Failure);
    }

    /// <inheritdoc/>
    protected override Task SettleAsync() => Task.WhenAll(_carried.Values.Select(carried => carried.Run));

    private void LookAfter(IConnection connection, Plan plan, PlanProgress progress, CancellationToken cancellationToken)
    {
        var carried = _carried.GetOrAdd(plan.Id, static _ => new CarriedPlan());
        if (plan.WantedBy is not null)
        {
            carried.GiveAway();
        }
        else if (carried.Run.IsCompleted && progress != PlanProgress.Running && Time.GetUtcNow() >= carried.NotBefore)
        {
            carried.Run = CarryAsync(connection, plan, carried, cancellationToken);
        }
    }

    private async Task CarryAsync(IConnection connection, Plan plan, CarriedPlan carried, CancellationToken cancellationToken)
    {
        await Task.Yield();
        using var stop = carried.Begin(cancellationToken);
        var order = new PlanOrder(plan.Id, plan.Terms) { By = _by, Resumes = true, StaysOpen = true, IsAskedFor = () => carried.IsGivenAway };
        var moved = 0;
        try
        {
            await foreach (var _ in new ParkingLot(connection, Time).ResumeAsync(plan, order, found: null, progress: null, stop.Token).ConfigureAwait(false))
            {
                moved++;
            }

            _carried.TryRemove(plan.Id, out _);
            LogCarried(plan.Id, plan.Queue, moved);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            LogCarried(plan.Id, plan.Queue, moved);
        }
#pragma warning disable CA1031 // as above: an exception that nobody foresaw must end no host, and be tried again no faster than another
        catch (Exception exception)
        {
            // what got on before it was stopped begins with the shortest pause again
            carried.Pause = moved > 0 || carried.Pause < FirstPause ? FirstPause : Shorter(2 * carried.Pause, LongestPause);
            carried.NotBefore = Time.GetUtcNow() + carried.Pause;
            LogNotCarried(plan.Id, plan.Queue, moved, carried.Pause.TotalSeconds, exception.Message);
        }
#pragma warning restore CA1031
        finally
        {
            carried.End();
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    [LoggerMessage(LogEvents.PlanCarried, LogLevel.Information, "Plan {Plan} of {Queue}: this service moved {Count} messages")]
    private partial void LogCarried(string plan, string queue, int count);

    [LoggerMessage(LogEvents.PlanNotCarried, LogLevel.Warning, "Plan {Plan} of {Queue}: this service moved {Count} messages and goes on in {Seconds} s: {Reason}")]
    private partial void LogNotCarried(string plan, string queue, int count, double seconds, string reason);

    [LoggerMessage(LogEvents.PlansUnseen, LogLevel.Warning, "Detached plans cannot be seen, and this service carries out none of them: {Reason}")]
    protected override partial void LogUnseen(string reason);
}
