using System.Globalization;
using Payments.Gateway;
using Payments.Running;
using Payments.Service;
using Payments.Shop;

namespace Payments.Audit;

/// <summary>What our books say of a tenant's payments, and what the gateways have taken of its customers.</summary>
internal sealed record Money(string Tenant, IReadOnlyDictionary<PaymentState, (int Payments, long Cents)> Books, long Charged)
{
    public long Completed => Books.TryGetValue(PaymentState.Completed, out var completed) ? completed.Cents : 0;

    /// <summary>Reads it for all tenants, each by itself.</summary>
    public static IReadOnlyList<Money> Count(Run run)
    {
        var (ours, theirs) = (new PaymentBooks(run.BooksFile), new BankBooks(run.BankFile));
        return [.. Tenants.All.Select(tenant => new Money(tenant, ours.Of(tenant), theirs.Charged(tenant)))];
    }

    /// <summary>Whether it is the same to the cent, for each tenant.</summary>
    public static bool AddsUp(IReadOnlyList<Money> all) => all.All(money => money.Charged == money.Completed);

    public static string Euros(long cents) => (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture);
}
