namespace Payments.Shop;

/// <summary>The shops that this payment service works for. Each numbers its payments from 1, and sees its own only.</summary>
internal static class Tenants
{
    /// <summary>Its gateway takes idempotency keys.</summary>
    public const string North = "north";

    /// <summary>Its gateway takes none, and has to be asked what it knows.</summary>
    public const string South = "south";

    public static readonly IReadOnlyList<string> All = [North, South];
}
