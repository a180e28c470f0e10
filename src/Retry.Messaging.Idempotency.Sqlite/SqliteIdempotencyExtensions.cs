using Microsoft.Data.Sqlite;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Idempotency.Sqlite;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Idempotent consumers with SQLite.</summary>
public static class SqliteIdempotencyExtensions
{
    /// <summary>Keeps the keys, leases and answers of idempotent consumers in a file of SQLite, in a table of its own (<c>retry_once</c>).</summary>
    /// <remarks>All processes that serve a queue need the same file, so they run on one machine. The table is made when it is first used.</remarks>
    /// <param name="services">The services.</param>
    /// <param name="connectionString">The file, for example <c>Data Source=/var/lib/shop/shop.db</c>: the consumer's own database,
    /// where its writes shall commit together with the mark that it is done.</param>
    /// <param name="configure">Other settings.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read, names no file, or the retention is not more than zero.</exception>
    public static IServiceCollection AddSqliteIdempotency(
        this IServiceCollection services,
        string connectionString,
        Action<IdempotencyStoreOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        Check(new SqliteConnectionStringBuilder(connectionString));
        return services.AddIdempotencyStore(configure, (retention, time) => new SqliteIdempotencyStore(connectionString, retention, time));
    }

    private static void Check(SqliteConnectionStringBuilder connection)
    {
        if (connection.DataSource.Length == 0 || connection.DataSource == ":memory:" || connection.Mode == SqliteOpenMode.Memory)
        {
            throw new ArgumentException($"Found the data source '{connection.DataSource}', wanted a file: what is in memory is forgotten with the process. Type \"Data Source=/path/to/file.db\".");
        }
    }
}
