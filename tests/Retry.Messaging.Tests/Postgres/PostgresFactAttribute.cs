using Xunit;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>A test that runs where PostgreSQL is installed; elsewhere it counts as skipped, and says why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = InstalledPostgres.Obstacle is { } obstacle ? $"Wants PostgreSQL: {obstacle}." : null;
}
