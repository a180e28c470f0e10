using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Idempotency;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Idempotency;

/// <summary>Lets a consumer run once for each key, and gives its answers again to each duplicate.</summary>
/// <remarks>
/// The life of a delivery:
/// <list type="number">
/// <item>Its key is looked up. Other content, a failure that is remembered, or a truth that nobody knows: parked. In progress elsewhere: it comes
/// back later, at the latest when that lease has run out, and no attempt is used. A store that is down is an error: nothing runs.</item>
/// <item>Done: the consumer does not run, and its answers are sent again, a response to this delivery's own requester.</item>
/// <item>Unknown: the consumer runs under a lease, which is renewed meanwhile. What it sends is collected, what it writes may be enlisted.</item>
/// <item>It succeeds: its writes, the mark that it is done and its answers commit in one transaction, if the lease is still its own.
/// Then the answers are sent.</item>
/// <item>It fails: all is undone. FAIL is remembered; ERROR is not, or the retry would be a duplicate of itself.</item>
/// </list>
/// It stands inside the filter of graded retry and all that is configured on the endpoint, and outside of the consumer's scope:
/// whatever is injected into the consumer sends through the context of this filter.
/// </remarks>
internal sealed partial class IdempotencyFilter<TConsumer, TMessage>(
    string queue,
    IIdempotencyStore store,
    IdempotencySettings settings,
    TimeProvider time,
    ILogger logger)
    : IFilter<ConsumeContext<TMessage>>
    where TConsumer : class
    where TMessage : class
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(1);

    private readonly string _consumer = $"{queue}/{TypeCache<TConsumer>.ShortName}/{TypeCache<TMessage>.ShortName}";

    public async Task Send(ConsumeContext<TMessage> context, IPipe<ConsumeContext<TMessage>> next)
    {
        var began = time.GetTimestamp();
        var attempt = context.GetPayload<AttemptContext>();
        var hash = settings.ContentHashOf(context);
        var key = new IdempotencyKey(_consumer, settings.KeyOf(context, hash));
        var request = new IdempotencyRequest(key, hash, settings.Lease)
        {
            TakesOver = settings.TakesOver<TMessage>(),
            IsReplay = attempt.Delivery.State.Replayed > 0,
        };
        var verdict = await store.AcquireAsync(request, context.CancellationToken).ConfigureAwait(false);
        attempt.Delivery.Telemetry.Recognized(Label(verdict));
        if (verdict is IdempotencyVerdict.Run run)
        {
            if (await RunAsync(context, next, attempt, run).ConfigureAwait(false))
            {
                return;
            }
        }
        else
        {
            await AnswerAsync(context, key, verdict).ConfigureAwait(false);
        }

        // told for the consumer, which has not run: MassTransit would take the message for one that nobody consumes
        await context.NotifyConsumed(time.GetElapsedTime(began), TypeCache<TConsumer>.ShortName).ConfigureAwait(false);
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("idempotency").Add("consumer", _consumer);

    private static string Label(IdempotencyVerdict verdict) => verdict switch
    {
        IdempotencyVerdict.Run { IsUncertain: false } => "first",
        IdempotencyVerdict.Run => "again",
        IdempotencyVerdict.InProgress => "in_progress",
        IdempotencyVerdict.Ended { Result.IsFailure: false } => "duplicate",
        IdempotencyVerdict.Ended => "failed_before",
        IdempotencyVerdict.OtherContent => "other_content",
        _ => "uncertain",
    };

    // Most that run are done soon, and a requester waits: the first look comes early, each further one after twice the time, the last
    // one when the lease has run out.
    private static TimeSpan UntilNextLook(TimeSpan ran, TimeSpan rest) => ran < FirstLook ? (FirstLook < rest ? FirstLook : rest) : ran < rest ? ran : rest;

    private Task AnswerAsync(ConsumeContext<TMessage> context, IdempotencyKey key, IdempotencyVerdict verdict) => verdict switch
    {
        IdempotencyVerdict.Ended { Result.IsFailure: false } done => SendAsync(context, StoredAnswer.Read(done.Result.Content)),
        IdempotencyVerdict.Ended failed => RefuseFailedAsync(context, key, StoredFailure.Read(failed.Result.Content)),
        IdempotencyVerdict.InProgress busy => throw new PostponedException(key.Value, UntilNextLook(settings.Lease - busy.Rest, busy.Rest)),
        IdempotencyVerdict.OtherContent => throw new RefusedException(
            ParkReason.KeyReused,
            $"Found other content under the key '{key.Value}', wanted a key of its own: {TypeCache<TConsumer>.ShortName} had a message with this key before, and this one has not run. Have its sender use a new key, or leave out of the content what each sending has of its own: once.HashedBy<T>(message => ...)."),
        _ => throw new RefusedException(
            ParkReason.Uncertain,
            $"The lease of the key '{key.Value}' ran out before its process said how it ended, so whether its effect happened is not known. Look at the target, then replay the message, or discard it."),
    };

    private async Task RefuseFailedAsync(ConsumeContext<TMessage> context, IdempotencyKey key, StoredFailure failure)
    {
        await SendAsync(context, failure.Answers).ConfigureAwait(false);
        throw new RefusedException(
            ParkReason.Failed,
            $"A message with the key '{key.Value}' has failed before, and this is a duplicate of it: {failure.Error}. Replay it to run it all the same.");
    }

    /// <returns>Whether the consumer ran: where its effect had happened already, it does not.</returns>
    private async Task<bool> RunAsync(ConsumeContext<TMessage> context, IPipe<ConsumeContext<TMessage>> next, AttemptContext attempt, IdempotencyVerdict.Run run)
    {
        var renewal = LeaseRenewal.Start(queue, store, run.Lease, settings.Lease, time, logger);
        await using var _ = renewal.ConfigureAwait(false);
        var mine = new IdempotentContext<TMessage>(
            context,
            store,
            send => send is SendContext<TMessage> same && settings.IsKeyOf(same, run.Lease.Key.Value),
            time);
        await using var __ = mine.ConfigureAwait(false);
        bool runs;
        try
        {
            runs = await ConsumeAsync(context, mine, next, run).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            await renewal.StopAsync().ConfigureAwait(false);
            await EndFailedAsync(mine, run.Lease, context.CancellationToken.IsCancellationRequested ? null : ResultOf(attempt, exception)).ConfigureAwait(false);
            throw;
        }

        await renewal.StopAsync().ConfigureAwait(false);
        await EndAsync(context, mine, run.Lease).ConfigureAwait(false);
        return runs;
    }

    /// <returns>Whether the consumer ran.</returns>
    private async Task<bool> ConsumeAsync(
        ConsumeContext<TMessage> context,
        IdempotentContext<TMessage> mine,
        IPipe<ConsumeContext<TMessage>> next,
        IdempotencyVerdict.Run run)
    {
        if (run.IsUncertain)
        {
            LogRanAgain(queue, run.Lease.Key.Value);
        }

        var runs = !run.IsUncertain || settings.Asked<TMessage>() is not { } happened || !await happened(mine).ConfigureAwait(false);
        if (runs)
        {
            await next.Send(mine).ConfigureAwait(false);
        }

        // what was sent without waiting for it belongs to the answers, too
        await context.ConsumeCompleted.ConfigureAwait(false);
        return runs;
    }

    private async Task EndAsync(ConsumeContext<TMessage> context, IdempotentContext<TMessage> mine, IdempotencyLease lease)
    {
        var answers = mine.Collection.Answers;
        var result = mine.Said switch
        {
            null when !mine.Collection.ComesAgain => new IdempotencyResult(IsFailure: false, StoredAnswer.Write(answers)),
            SaidOutcome.Fail fail => StoredFailure.Of(new FailSaidException(fail.Reason), answers),

            // not done: its next delivery is no duplicate
            _ => null,
        };
        if (!await store.EndAsync(lease, result, mine.Transaction, context.CancellationToken).ConfigureAwait(false))
        {
            throw new LeaseLostException(lease.Key.Value);
        }

        await SendAsync(context, answers).ConfigureAwait(false);
        mine.PassOn();
    }

    private async Task SendAsync(ConsumeContext<TMessage> context, IReadOnlyCollection<StoredAnswer> answers)
    {
        foreach (var answer in answers)
        {
            await new AnswerMessage(answer, context, time.GetUtcNow()).SendAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    // an exception that stands for success undoes what the consumer did, and has nothing to answer
    private static IdempotencyResult? ResultOf(AttemptContext attempt, Exception exception) => attempt.OutcomeOf(exception, typeof(TMessage)) switch
    {
        Outcome.Ok => new IdempotencyResult(IsFailure: false, default),
        Outcome.Fail => StoredFailure.Of(attempt.FailureOf(exception), []),
        _ => null,
    };

    // What the consumer threw is the outcome, whatever the store says. Its lease runs out by itself.
    private async Task EndFailedAsync(IdempotentContext<TMessage> mine, IdempotencyLease lease, IdempotencyResult? result)
    {
        try
        {
            await mine.StartOverAsync().ConfigureAwait(false);
            await store.EndAsync(lease, result, transaction: null, CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotEnded(exception, queue, lease.Key.Value, settings.Lease);
        }
    }

    [LoggerMessage(LogEvents.RanAgain, LogLevel.Warning, "{Queue}: the lease of key '{Key}' ran out before its process said how it ended. Whether the effect happened is not known, and the message is tried again")]
    private partial void LogRanAgain(string queue, string key);

    [LoggerMessage(LogEvents.KeyNotEnded, LogLevel.Warning, "{Queue}: the consumer failed, and the store could not note it for key '{Key}'. Its next delivery waits until the lease of {Lease} has run out")]
    private partial void LogNotEnded(Exception exception, string queue, string key, TimeSpan lease);
}
