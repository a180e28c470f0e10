using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;
using Xunit;

namespace Retry.Messaging.BrokerTests.Testing;

/// <summary>A test that runs where a container engine runs; elsewhere it counts as skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ContainerFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Obstacle =
        new(() => new RabbitMqContainerSource().FindObstacleAsync(new PrivateBrokerOptions(), CancellationToken.None).GetAwaiter().GetResult());

    public ContainerFactAttribute()
    {
        if (Obstacle.Value is { } obstacle)
        {
            Skip = $"Wants a container engine: {obstacle}.";
        }
    }
}
