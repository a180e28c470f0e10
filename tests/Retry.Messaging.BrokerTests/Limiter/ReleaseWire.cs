using Retry.Messaging.Naming;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>When releases go to a broker: by the kernel's timestamps where it lets us capture, else by a proxy in between.</summary>
/// <remarks>What a proxy notes is as late as the machine wakes it up, so a bound on its instants allows for the machine's stalls.</remarks>
internal sealed class ReleaseWire : IDisposable
{
    private readonly WireCapture? _capture;
    private readonly WireTap? _tap;
    private readonly Yardstick _yardstick = new();

    /// <summary>Starts to listen.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="separately">Whether to tell the releases that go by <see cref="Address"/> from others to the same broker.</param>
    public ReleaseWire(Uri broker, bool separately = false)
    {
        _tap = separately ? new WireTap(broker, BrokerNames.ReturnExchange) : null;
        _capture = WireCapture.TryStart((_tap?.Address ?? broker).Port, BrokerNames.ReturnExchange);
        _tap ??= _capture is null ? new WireTap(broker, BrokerNames.ReturnExchange) : null;
        Address = _tap?.Address ?? broker;
    }

    /// <summary>Where limiters connect.</summary>
    public Uri Address { get; }

    public IReadOnlyList<long> Publishes => _capture?.Publishes ?? _tap!.Publishes;

    /// <summary>Whether a measured mean says something about the limiter.</summary>
    public bool IsQuiet => _yardstick.IsQuiet;

    /// <summary>By how many messages a window may seem to exceed the bound: by none where the instants are exact.</summary>
    public double Allowance(double cap) => _capture is null ? _yardstick.Allowance(cap) : 0;

    public override string ToString() => $"instants by {(_capture is null ? "a proxy" : "the kernel")}; {_yardstick}";

    public void Dispose()
    {
        _capture?.Dispose();
        _tap?.Dispose();
        _yardstick.Dispose();
    }
}
