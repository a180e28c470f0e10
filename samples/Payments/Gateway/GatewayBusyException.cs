namespace Payments.Gateway;

/// <summary>The gateway's own way to say "not now": it names no time, so the service has intervals of its own for it.</summary>
internal sealed class GatewayBusyException() : Exception("The gateway is busy and took no charge.");
