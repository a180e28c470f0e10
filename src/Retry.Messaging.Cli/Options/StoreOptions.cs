using System.CommandLine;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Idempotency.PostgreSql;
using Retry.Messaging.Idempotency.Sqlite;

namespace Retry.Messaging.Cli.Options;

/// <summary>The idempotency store that a command asks.</summary>
internal static class StoreOptions
{
    private const string Variable = "RETRY_STORE";
    private const string Wanted = "\"Data Source=/path/to/file.db\" for SQLite, or \"Host=db;Database=shop;Username=shop;Password=...\" for PostgreSQL; a value with a semicolon in quotes";

    /// <summary>Adds the option to a command.</summary>
    public static Option<string?> AddTo(Command command)
    {
        var store = new Option<string?>("--store")
        {
            Description = $"The connection string of the service's AddSqliteIdempotency or AddPostgreSqlIdempotency: \"Data Source=...\" or \"Host=...\". Default: the environment variable {Variable}.",
            HelpName = "CONNECTION",
        };
        command.Options.Add(store);
        return store;
    }

    /// <summary>Opens the store that was named; nothing is asked yet, and nothing is made.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="store">The option.</param>
    /// <param name="host">The outside.</param>
    /// <param name="retention">How old a key has to be to be pruned.</param>
    /// <exception cref="UsageException">None was named, or not so that it could be read.</exception>
    public static OpenStore Open(ParseResult parsed, Option<string?> store, CliHost host, TimeSpan retention)
    {
        var option = parsed.GetValue(store);
        var text = option ?? host.Variable(Variable);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new UsageException($"Found no store, wanted --store or the environment variable {Variable}: {Wanted}.");
        }

        try
        {
            // the parser's own words may hold a piece of a password
            var said = new DbConnectionStringBuilder { ConnectionString = text };
            return said.ContainsKey("Host") || said.ContainsKey("Server")
                ? OpenPostgreSql(new NpgsqlConnectionStringBuilder(text), host, option is not null, retention)
                : OpenSqlite(new SqliteConnectionStringBuilder(text), host, retention);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidCastException)
        {
            throw new UsageException($"{(option is null ? Variable : store.Name)}: found a connection string that cannot be read, wanted {Wanted}.");
        }
    }

    private static OpenStore OpenPostgreSql(NpgsqlConnectionStringBuilder connection, CliHost host, bool isOption, TimeSpan retention)
    {
        if (isOption && connection.Password is { Length: > 0 })
        {
            host.Error.WriteLine($"{RetryCtl.Name}: warning: other users of this machine can see a password on the command line; {Variable} keeps it from them.");
        }

        connection.ApplicationName ??= RetryCtl.Name;
        var store = new PostgreSqlIdempotencyStore(NpgsqlDataSource.Create(connection), retention);
        return new OpenStore(store, store, store);
    }

    private static OpenStore OpenSqlite(SqliteConnectionStringBuilder connection, CliHost host, TimeSpan retention)
    {
        if (!File.Exists(connection.DataSource))
        {
            throw new UsageException($"Found no file '{connection.DataSource}', wanted the one of a service's AddSqliteIdempotency.");
        }

        var store = new SqliteIdempotencyStore(connection.ConnectionString, retention, host.Time);
        return new OpenStore(store, store, store);
    }
}
