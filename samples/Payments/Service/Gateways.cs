using Payments.Gateway;
using Payments.Shop;

namespace Payments.Service;

/// <summary>Which tenant has its payments made by which gateway.</summary>
internal sealed class Gateways(SimulatedBank bank)
{
    private readonly Dictionary<string, IPaymentGateway> _gateways = new()
    {
        [Tenants.North] = new KeyedGateway(bank),
        [Tenants.South] = new PlainGateway(bank),
    };

    public IPaymentGateway Of(string tenant) => _gateways[tenant];
}
