namespace Payments.Gateway;

/// <summary>The gateway is closed for maintenance: no failure, only too early.</summary>
/// <param name="opensIn">When it opens.</param>
internal sealed class GatewayClosedException(TimeSpan opensIn) : Exception($"The gateway is closed, and opens in {opensIn.TotalSeconds:0.#} s.")
{
    public TimeSpan OpensIn => opensIn;
}
