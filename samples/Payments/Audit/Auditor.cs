using Payments.Running;
using RabbitMQ.Client.Exceptions;

namespace Payments.Audit;

/// <summary>Believes nobody: compares what the shop published with what is done and with what the broker holds, id by id.</summary>
/// <remarks>
/// <list type="number">
/// <item>Watches until every payment is done or parked, or nothing moves any more.</item>
/// <item>Takes stock: holds every message of every queue, through AMQP, with nothing of the library under test.</item>
/// <item>Counts the money: what the gateways have taken has to be what is completed in our books.</item>
/// <item>Reports, and says by the exit code whether every payment and every cent is accounted for.</item>
/// </list>
/// </remarks>
internal sealed class Auditor
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TickWithoutEnd = TimeSpan.FromSeconds(10);

    // longer than an attempt may take, which is invisible while it runs
    private static readonly TimeSpan QuietWhenEmpty = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan QuietWhenStuck = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWatch = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LastMessagePatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(100);

    private readonly Run _run;
    private readonly QueueReader _reader;
    private readonly PaymentQueues _queues;
    private readonly Books _books;
    private IReadOnlyDictionary<string, int> _rungs = new Dictionary<string, int>();

    private Auditor(Run run, QueueReader reader, PaymentQueues queues)
    {
        _run = run;
        _reader = reader;
        _queues = queues;
        _books = new Books(run);
    }

    public static async Task<int> RunAsync(Run run, RunOptions options, CancellationToken cancellationToken)
    {
        await using var reader = await QueueReader.ConnectAsync(Run.Broker, "payments auditor", cancellationToken);
        var auditor = new Auditor(run, reader, await PaymentQueues.FindAsync(reader, cancellationToken));
        await (options.Plain || run.IsEndless || !LiveView.IsPossible
            ? auditor.WatchAsync(new PlainView(), cancellationToken)
            : LiveView.RunAsync(run, view => auditor.WatchAsync(view, cancellationToken)));
        var inventory = await auditor.TakeStockAsync(cancellationToken);
        var balance = auditor.Balance(inventory);
        var money = Money.Count(run);
        Report.Print(run, options, auditor._books, inventory, balance, money);
        return balance.AllAccountedFor && Money.AddsUp(money) ? ExitCodes.AllAccountedFor : ExitCodes.Missing;
    }

    private async Task WatchAsync(IProgressView view, CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        var (printed, moved, answered) = (started, started, started);
        Progress? last = null;
        using var timer = new PeriodicTimer(_run.IsEndless ? TickWithoutEnd : Tick);
        do
        {
            var progress = await LookAsync(cancellationToken);
            var now = clock.GetTimestamp();
            if (progress is null)
            {
                GiveUpAfterLongSilence(view, clock.GetElapsedTime(answered, now));
                continue;
            }

            view.Show(new Moment(progress, last ?? progress, clock.GetElapsedTime(started, now), clock.GetElapsedTime(printed, now)), _rungs, _books.LastErrors);
            answered = now;
            moved = progress == last ? moved : now;
            if (IsOver(progress, clock.GetElapsedTime(moved, now)) || (!_run.IsEndless && clock.GetElapsedTime(started, now) > LongestWatch))
            {
                return;
            }

            (last, printed) = (progress, now);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private void GiveUpAfterLongSilence(IProgressView view, TimeSpan silence)
    {
        view.Say($"The broker has not answered for {silence.TotalSeconds:0} s.");
        if (!_run.IsEndless && silence >= QuietWhenStuck)
        {
            throw new SampleException("The books cannot be balanced without the broker. Start the demo again.");
        }
    }

    private bool IsOver(Progress progress, TimeSpan quiet) => _books.ProducerHasEnded
        && ((progress.NothingWaits && progress.Done + progress.Parked >= progress.Published)
            || (progress.NothingWaits && quiet >= QuietWhenEmpty)
            || quiet >= QuietWhenStuck);

    /// <summary>Looks once; null while the broker is away, to which the client connects again by itself.</summary>
    private async Task<Progress?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var inQueue = await _reader.SumAsync(_queues.Work, cancellationToken);
            _rungs = await _reader.CountEachAsync(_queues.Ladder, cancellationToken);
            var parked = await _reader.SumAsync([_queues.Parked], cancellationToken);
            _books.Update();
            return new Progress(_books.Published.Count, _books.Done.Count, inQueue, _rungs.Values.Sum(), parked, _books.Attempts, _books.Lateness.Count);
        }
        catch (Exception exception) when (exception is RabbitMQClientException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<Inventory> TakeStockAsync(CancellationToken cancellationToken)
    {
        string[] all = [.. _queues.Waiting, _queues.Parked];
        var expected = await _reader.SumAsync(all, cancellationToken);
        var inventory = new Inventory(_queues.Parked);
        await using var held = await HeldMessages.TakeAsync(_reader, all, cancellationToken);
        while (true)
        {
            // The consumer still runs: what it holds turns up in the ledger or in a queue, a moment later.
            _books.Update();
            var complete = inventory.Messages >= expected && Balance(inventory).Lost.Count == 0;
            if (await held.NextAsync(complete ? FirstLook : LastMessagePatience, cancellationToken) is not { } message)
            {
                _books.Update();
                return inventory;
            }

            inventory.Enter(message);
        }
    }

    private Balance Balance(Inventory inventory) => new(_books.Published, _books.Done, _books.DoneAgain, inventory.Parked, inventory.Waiting);
}
