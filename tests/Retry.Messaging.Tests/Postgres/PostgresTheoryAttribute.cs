using Xunit;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>A table of tests that run where PostgreSQL is installed; elsewhere they count as skipped, and say why.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresTheoryAttribute : TheoryAttribute
{
    public PostgresTheoryAttribute() => Skip = InstalledPostgres.Obstacle is { } obstacle ? $"Wants PostgreSQL: {obstacle}." : null;
}
