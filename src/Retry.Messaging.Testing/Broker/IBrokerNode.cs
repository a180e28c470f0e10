namespace Retry.Messaging.Testing;

/// <summary>A broker that answers, whatever it runs in.</summary>
internal interface IBrokerNode : IAsyncDisposable
{
    BrokerAddress Address { get; }

    string Version { get; }

    bool IsOwnNode { get; }

    int? ProcessId { get; }

    string? DataDirectory { get; }

    Task<Uri> CreateVirtualHostAsync(CancellationToken cancellationToken);

    Task KillAsync(CancellationToken cancellationToken);

    Task StopAsync(CancellationToken cancellationToken);

    Task RestartAsync(CancellationToken cancellationToken);

    Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken);
}
