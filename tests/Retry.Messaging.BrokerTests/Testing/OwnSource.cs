using Retry.Messaging.Testing;

namespace Retry.Messaging.BrokerTests.Testing;

/// <summary>A source as a user may write one, with what is public only: it gives a broker that is there already.</summary>
internal sealed class OwnSource(PrivateBroker broker) : IBrokerSource
{
    public string Way => "ask the owner";

    public string? Obstacle { get; init; }

    public int Port { get; init; } = broker.Port;

    public int Disposed { get; private set; }

    public Task<string?> FindObstacleAsync(PrivateBrokerOptions options, CancellationToken cancellationToken) => Task.FromResult(Obstacle);

    public Task<IBrokerNode> StartAsync(PrivateBrokerOptions options, CancellationToken cancellationToken) => Task.FromResult<IBrokerNode>(new Node(
        this,
        new BrokerAddress(broker.Host, Port, broker.UserName, broker.Password) { ManagementUri = broker.ManagementUri }));

    private sealed class Node(OwnSource source, BrokerAddress address) : IBrokerNode
    {
        public BrokerAddress Address => address;

        public bool IsOwnNode => false;

        public Task KillAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task StopAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task RestartAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<string> ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<string> ReadLogAsync(CancellationToken cancellationToken) => Task.FromResult("the disk is full");

        public ValueTask DisposeAsync()
        {
            source.Disposed++;
            return ValueTask.CompletedTask;
        }
    }
}
