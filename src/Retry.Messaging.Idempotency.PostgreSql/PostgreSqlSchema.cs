using Npgsql;

namespace Retry.Messaging.Idempotency.PostgreSql;

/// <summary>The store's table: made when it is first used, by whoever may; otherwise by an administrator, with the same SQL.</summary>
internal sealed class PostgreSqlSchema(NpgsqlDataSource source)
{
    // any number, the same in all processes: of many that begin at once, one makes the table
    private const long Lock = 7_238_461_190_551;

    private bool _isThere;

    /// <summary>Gets the SQL that makes the table. It changes nothing where the table is.</summary>
    public static string Sql { get; } = Read();

    /// <summary>Sees to it that the table is there.</summary>
    /// <exception cref="InvalidOperationException">It is not, and the user may not make it.</exception>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async ValueTask EnsureAsync(CancellationToken cancellationToken)
    {
        if (!_isThere && !await ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            await CreateAsync(cancellationToken).ConfigureAwait(false);
        }

        _isThere = true;
    }

    /// <summary>Looks whether the table is there.</summary>
    public async Task<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        var command = source.CreateCommand("SELECT to_regclass('retry_once') IS NOT NULL");
        await using var _ = command.ConfigureAwait(false);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        try
        {
            var create = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({Lock}); {Sql}", connection);
            await using var __ = create.ConfigureAwait(false);
            await create.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new InvalidOperationException(
                $"Found no table retry_once in the database '{connection.Database}', and the user '{new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username}' " +
                $"may not make it ({exception.MessageText}). Have an administrator run the SQL that 'retryctl once schema' prints, and grant the user SELECT, INSERT, UPDATE and DELETE " +
                "on retry_once and USAGE on retry_once_token.",
                exception);
        }
    }

    private static string Read()
    {
        using var reader = new StreamReader(typeof(PostgreSqlSchema).Assembly.GetManifestResourceStream("retry_once.sql")!);
        return reader.ReadToEnd();
    }
}
