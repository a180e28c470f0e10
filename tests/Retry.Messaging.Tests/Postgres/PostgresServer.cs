using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>A private PostgreSQL server: on a free loopback port, as a user without rights, in a directory of its own that goes with it.</summary>
/// <remarks>However its owner ends, a guard ends the server.</remarks>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "shop";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private readonly string _password = RandomNumberGenerator.GetHexString(32);
    private readonly int _port = LoopbackPorts.Take(1)[0];
    private readonly string _bin = InstalledPostgres.Binaries!;
    private NodeGuard _guard = null!;
    private int _databases;

    private PostgresServer() => DataDirectory = Path.Combine(Folder, "data");

    /// <summary>Gets the server's process id.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Gets the port on 127.0.0.1.</summary>
    public int Port => _port;

    /// <summary>Gets the directory with everything of this server.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("retry-postgres-").FullName;

    private string DataDirectory { get; }

    /// <summary>Makes one and starts it, in some two seconds.</summary>
    /// <param name="isDurable">Whether a commit waits for the disk, as in production and in measurements; tests need not.</param>
    public static async Task<PostgresServer> StartAsync(bool isDurable = false)
    {
        var server = new PostgresServer();
        await server.MakeAsync(isDurable);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts it again on the same port and data, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        ProcessId = int.Parse(await _guard.AskAsync("start", default), CultureInfo.InvariantCulture);
        await Eventually.TrueAsync(AnswersAsync, Deadline, () => File.ReadAllText(Path.Combine(Folder, "out.log")));
    }

    /// <summary>Ends it as a crash would; its data stays.</summary>
    public Task KillAsync() => _guard.AskAsync("kill", default);

    /// <summary>Makes a fresh database, in a tenth of a second.</summary>
    /// <returns>How to connect to it, with user and password.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"shop{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    /// <summary>Runs one statement, or several, on a connection of their own.</summary>
    public static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public ValueTask DisposeAsync() => _guard.DisposeAsync();

    private string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _port,
        Database = database,
        Username = User,
        Password = _password,
    }.ConnectionString;

    private async Task MakeAsync(bool isDurable)
    {
        await RunAsync(["chmod", "755", Folder]); // the server's user goes through it to its data
        string[] server =
        [
            .. InstalledPostgres.Unprivileged, Path.Combine(_bin, "postgres"), "-D", DataDirectory,
            "-h", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "-c", "unix_socket_directories=",
            "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", $"fsync={(isDurable ? "on" : "off")}",
        ];
        _guard = await NodeGuard.StartAsync(typeof(PostgresServer).Assembly, "postgres-guard.sh", Folder, server, default);

        // both belong to the server's user, and nobody else may read the password
        var secret = Path.Combine(Folder, "password");
        await File.WriteAllTextAsync(secret, _password);
        await RunAsync(["chmod", "400", secret]);
        Directory.CreateDirectory(DataDirectory);
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync(["chown", "nobody:nogroup", DataDirectory, secret]);
        }

        await RunAsync([
            .. InstalledPostgres.Unprivileged, Path.Combine(_bin, "initdb"), "-D", DataDirectory, "-U", User, "--pwfile", secret,
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        ]);
        File.Delete(secret);
    }

    private static async Task RunAsync(string[] command)
    {
        var (exitCode, output) = await Retry.Messaging.Testing.CommandLine.RunAsync(command, Deadline, default);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"'{string.Join(' ', command)}' ended with {exitCode?.ToString(CultureInfo.InvariantCulture) ?? "no exit code"}, wanted 0: {output}");
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await ExecuteAsync(ConnectionString("postgres"), "SELECT 1");
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
