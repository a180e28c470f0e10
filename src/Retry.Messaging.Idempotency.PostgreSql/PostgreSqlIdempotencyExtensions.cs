using Npgsql;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.PostgreSql;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Idempotent consumers with PostgreSQL.</summary>
public static class PostgreSqlIdempotencyExtensions
{
    /// <summary>Keeps the keys, leases and answers of idempotent consumers in PostgreSQL, in a table of its own (<c>retry_once</c>).</summary>
    /// <remarks>
    /// The table is made when it is first used, in the first schema of the user's search path. A user who may not make tables needs an
    /// administrator to run the SQL of <c>retryctl once schema</c>. Leases run by the database's clock.
    /// </remarks>
    /// <param name="services">The services.</param>
    /// <param name="connectionString">The database, for example <c>Host=db;Database=shop;Username=shop;Password=…</c>: the consumer's own,
    /// where its writes shall commit together with the mark that it is done.</param>
    /// <param name="configure">Other settings.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read, names no host, or the retention is not more than zero.</exception>
    public static IServiceCollection AddPostgreSqlIdempotency(
        this IServiceCollection services,
        string connectionString,
        Action<IdempotencyStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        if (string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(connectionString).Host))
        {
            throw new ArgumentException("Found a connection string without a host, wanted one. Type \"Host=db;Database=shop;Username=shop;Password=...\".");
        }

        return services.AddIdempotencyStore(configure, (retention, _) => new PostgreSqlIdempotencyStore(NpgsqlDataSource.Create(connectionString), retention));
    }
}
