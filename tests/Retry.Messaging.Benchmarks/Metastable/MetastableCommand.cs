using System.CommandLine;
using Retry.Messaging.Benchmarks.Running;
using Retry.Messaging.Testing;

namespace Retry.Messaging.Benchmarks.Metastable;

/// <summary><c>metastable</c>: an overload that outlives its cause, and one that does not.</summary>
internal static class MetastableCommand
{
    private const int Patience = 60;
    private const int ControlAfter = 180;
    private const int OursAfter = 120;
    private const int Width = 50;
    private const int Full = 100;

    public static Command Create()
    {
        var command = new Command(
            "metastable",
            $"Halves the capacity of a target for {MetastableRun.Halved} s, once with fixed retries alone and once with a retry budget, and shows what it answers in time. Seven minutes.");
        command.SetAction(async _ =>
        {
            using var stop = new StopRequest();
            return await RunAsync(stop.Token).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        MetastableRun control = new("fixed retries", ControlAfter, static _ => { });
        MetastableRun ours = new("with a budget", OursAfter, static retry => retry.RetryBudget());
        try
        {
            await using var broker = await PrivateBroker.StartAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            Console.WriteLine($"RabbitMQ {broker.Version}; {MetastableRun.Offered} messages a second for a target of {SlowTarget.Capacity}; seconds count from when it is well again");
            var without = await control.RunAsync(broker, Console.WriteLine, cancellationToken).ConfigureAwait(false);
            var with = await ours.RunAsync(broker, Console.WriteLine, cancellationToken).ConfigureAwait(false);
            Plot(without, with);
            return Judge(without, with);
        }
#pragma warning disable CA1031 // what a stop cuts off ends in whatever its library makes of that
        catch (Exception) when (cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return 130;
        }
        catch (BrokerUnavailableException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private static void Plot(IReadOnlyList<LedgerSecond> without, IReadOnlyList<LedgerSecond> with)
    {
        Console.WriteLine();
        Console.WriteLine("answered in time, messages a second; o: fixed retries, x: with a budget, *: both");
        Console.WriteLine($"the target is halved from -{MetastableRun.Halved} s to 0 s");
        Console.WriteLine();
        Console.WriteLine("        " + string.Concat(Enumerable.Range(0, 6).Select(static fifth => $"{fifth * Full / 5,-10}")).TrimEnd());
        for (var from = 0; from + Recovery.Window <= Math.Max(without.Count, with.Count); from += Recovery.Window)
        {
            var line = new string(' ', Width + 1).ToCharArray();
            Mark(line, without, from, 'o');
            Mark(line, with, from, 'x');
            Console.WriteLine(FormattableString.Invariant($"{from - MetastableRun.Before - MetastableRun.Halved,5} s |{new string(line).TrimEnd()}"));
        }
    }

    private static void Mark(char[] line, IReadOnlyList<LedgerSecond> seconds, int from, char mark)
    {
        if (from + Recovery.Window <= seconds.Count)
        {
            var at = (int)Math.Clamp(Math.Round(Of(seconds).Rate(from) * Width / Full), 0, Width);
            line[at] = line[at] == ' ' ? mark : '*';
        }
    }

    private static int Judge(IReadOnlyList<LedgerSecond> without, IReadOnlyList<LedgerSecond> with)
    {
        var collapsed = Of(without).StayedCollapsed;
        var back = Of(with).After;
        Console.WriteLine();
        Console.WriteLine(Line("fixed retries", without) + (collapsed ? FormattableString.Invariant($"; below {Recovery.Collapsed:P0} of what is offered for all of {ControlAfter} s") : $"; NOT COLLAPSED: back after {Of(without).After} s"));
        Console.WriteLine(Line("with a budget", with) + (back is { } after ? FormattableString.Invariant($"; {Recovery.Enough:P0} of what is offered, and no less until the end, {after} s after the target was well") : "; NOT BACK"));
        return collapsed && back <= Patience ? 0 : 1;
    }

    private static Recovery Of(IReadOnlyList<LedgerSecond> seconds) => new(seconds, MetastableRun.Before + MetastableRun.Halved, MetastableRun.Offered);

    private static string Line(string name, IReadOnlyList<LedgerSecond> seconds) => FormattableString.Invariant(
        $"{name}: {seconds.Sum(second => second.Called)} calls, {seconds.Sum(second => second.Answered)} answered in time, {seconds.Sum(second => second.Wasted)} served too late, {seconds.Sum(second => second.Dropped)} dropped");
}
