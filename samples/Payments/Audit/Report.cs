using System.Globalization;
using Payments.Running;
using Payments.Service;

namespace Payments.Audit;

/// <summary>What the auditor says at the end. The last line is for programs.</summary>
internal static class Report
{
    private const int BarLength = 50;
    private const int IdsShown = 10;

    public static void Print(Run run, RunOptions options, Books books, Inventory inventory, Balance balance, IReadOnlyList<Money> money)
    {
        Console.WriteLine();
        Histogram("Attempts", "payments", books.LastAttempt.Values.CountBy(attempts => attempts).OrderBy(bar => bar.Key)
            .Select(bar => KeyValuePair.Create(bar.Key.ToString(CultureInfo.InvariantCulture), bar.Value)));
        var retried = books.LastAttempt.Values.Count(attempts => attempts > 1);
        var often = books.LastAttempt.Values.Count(attempts => attempts > 2);
        Console.WriteLine($"{100.0 * retried / Math.Max(balance.Published, 1):0.0} % of the payments needed a retry; {often} needed three attempts or more.");

        Console.WriteLine();
        Histogram("Parked", "payments", inventory.Reasons.OrderByDescending(bar => bar.Value));

        Console.WriteLine();
        Console.WriteLine($"Retries: {books.Lateness.Count}, early = {books.Lateness.Count(late => late < TimeSpan.Zero)}, largest lateness = {Largest(books.Lateness).TotalMilliseconds:0} ms, median {Median(books.Lateness).TotalMilliseconds:0} ms.");

        Console.WriteLine();
        PrintMoney(money);

        PrintUnaccounted(inventory, balance);
        Console.WriteLine($"Files: {run.Folder}{(balance.AllAccountedFor && !options.Keep ? " (removed at the end; they stay with --keep)" : string.Empty)}");
        PrintNextSteps(options);
        Console.WriteLine();
        Console.WriteLine($"{balance} charged={Money.Euros(money.Sum(one => one.Charged))} completed={Money.Euros(money.Sum(one => one.Completed))}");
    }

    // each tenant's column comes from its own books
    private static void PrintMoney(IReadOnlyList<Money> money)
    {
        Console.WriteLine($"{"Money",-16} {string.Join(' ', money.Select(one => $"{one.Tenant,22}"))}");
        foreach (var state in Enum.GetValues<PaymentState>().Where(state => money.Any(one => one.Books.ContainsKey(state))))
        {
            Console.WriteLine($"{state,-16} {string.Join(' ', money.Select(one => one.Books.GetValueOrDefault(state)).Select(sum => $"{sum.Payments,8} {Money.Euros(sum.Cents),13}"))}");
        }

        Console.WriteLine($"{"Taken by gateway",-16} {string.Join(' ', money.Select(one => $"{Money.Euros(one.Charged),22}"))}");
    }

    private static void Histogram(string title, string unit, IEnumerable<KeyValuePair<string, int>> bars)
    {
        var all = bars.ToList();
        var largest = all.Select(bar => bar.Value).DefaultIfEmpty(1).Max();
        Console.WriteLine($"{title,-12} {unit}");
        foreach (var (name, count) in all)
        {
            Console.WriteLine($"{name,-12} {count,8}  {new string('#', Math.Max(1, count * BarLength / largest))}");
        }
    }

    private static void PrintUnaccounted(Inventory inventory, Balance balance)
    {
        foreach (var (queue, count) in inventory.WaitingIn)
        {
            Console.WriteLine($"Waiting: {count} in {queue}");
        }

        PrintIds("Lost", balance.Lost);
        PrintIds("Done twice, or done and parked", balance.Duplicates);
    }

    private static void PrintIds(string title, IReadOnlyList<string> ids)
    {
        if (ids.Count > 0)
        {
            Console.WriteLine($"{title}: {string.Join(", ", ids.Take(IdsShown))}{(ids.Count > IdsShown ? $" and {ids.Count - IdsShown} more" : string.Empty)}");
        }
    }

    private static void PrintNextSteps(RunOptions options)
    {
        Console.WriteLine();
        Console.WriteLine(options.Keep
            ? "To look further (the broker stays until Enter or Ctrl-C; it is a throw-away one, so its password is shown):"
            : "To look further, run the demo with --keep (make demo KEEP=1): the broker then stays, and its address is printed for these:");
        if (options.Keep)
        {
            Console.WriteLine($"  export RETRY_BROKER={Run.Broker.AbsoluteUri}");
        }

        Console.WriteLine($"  retryctl parked list {PaymentService.Queue}");
        Console.WriteLine($"  retryctl parked show {PaymentService.Queue} ID");
        Console.WriteLine($"  retryctl parked replay {PaymentService.Queue} --all");
        Console.WriteLine("  retryctl topology plan");
        Console.WriteLine("In this repository retryctl is: dotnet run --project src/Retry.Messaging.Cli --");
    }

    private static TimeSpan Largest(IReadOnlyList<TimeSpan> lateness) => lateness.DefaultIfEmpty().Max();

    private static TimeSpan Median(IReadOnlyList<TimeSpan> lateness) => lateness.Order().ElementAtOrDefault(lateness.Count / 2);
}
