using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
        Action<SqliteIdempotencyOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var options = new SqliteIdempotencyOptions();
        configure?.Invoke(options);
        Check(new SqliteConnectionStringBuilder(connectionString), options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IIdempotencyStore>(provider =>
            new SqliteIdempotencyStore(connectionString, options.Retention, provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<IdempotencyPruning>();
        return services;
    }

    private static void Check(SqliteConnectionStringBuilder connection, SqliteIdempotencyOptions options)
    {
        if (connection.DataSource.Length == 0 || connection.DataSource == ":memory:" || connection.Mode == SqliteOpenMode.Memory)
        {
            throw new ArgumentException($"Found the data source '{connection.DataSource}', wanted a file: what is in memory is forgotten with the process. Type \"Data Source=/path/to/file.db\".");
        }

        if (options.Retention <= TimeSpan.Zero)
        {
            throw new ArgumentException($"Found a retention of {options.Retention}, wanted more than zero. Set Retention, for example to TimeSpan.FromDays(7).");
        }
    }
}
