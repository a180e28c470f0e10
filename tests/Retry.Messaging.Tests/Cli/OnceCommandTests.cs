using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Tests.Idempotency;
using Retry.Messaging.Tests.Postgres;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

/// <summary><c>retryctl once</c> on both stores, as a user types it.</summary>
public sealed class OnceCommandTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>, IDisposable
{
    private const string Consumer = "payments/ChargeConsumer/Charge";
    private const string Other = "payments/AuditConsumer/Charge";

    private static readonly IdempotencyResult Done = new(IsFailure: false, "the receipt is a secret"u8.ToArray());

    private readonly SqliteUnderTest _sqlite = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task In_SQLite_keys_are_counted_shown_forgotten_and_pruned() =>
        await WorksAsync(_sqlite.OpenStore(_time), _sqlite.OpenStore(_time), _sqlite.ConnectionString);

    [PostgresFact]
    public async Task In_PostgreSQL_keys_are_counted_shown_forgotten_and_pruned()
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);
        await WorksAsync(store.Open(null), store.OpenStore(null), store.ConnectionString);
    }

    [PostgresFact]
    public async Task A_password_is_warned_about_and_never_repeated()
    {
        await using var store = await PostgreSqlUnderTest.CreateAsync(postgres);
        foreach (var connection in new[] { store.ConnectionString, "Host=127.0.0.1;Port=1;Username=shop;Password=s3cret", "Host=x;Username=shop;Password=a;s3cret" })
        {
            var (_, output, error) = await RunAsync(["once", "stats", "--store", connection]);

            error.ShouldMatch("see a password on the command line|cannot be read");
            (output + error).ShouldNotContain("s3cret");
            (output + error).ShouldNotContain(new Npgsql.NpgsqlConnectionStringBuilder(store.ConnectionString).Password!);
        }
    }

    [Theory]
    [InlineData("once stats", "Found no store, wanted --store or the environment variable RETRY_STORE")]
    [InlineData("once stats --store nonsense", "--store: found a connection string that cannot be read")]
    [InlineData("once show 1 --store Filename=/nowhere/shop.db", "Found no file '/nowhere/shop.db'")]
    [InlineData("once forget 1 --store Filename=/nowhere/shop.db", "wanted --yes")]
    [InlineData("once prune --store Filename=/nowhere/shop.db --yes", "--older-than")]
    [InlineData("once prune --store Filename=/nowhere/shop.db --older-than soon --yes", "--older-than: found 'soon'")]
    public async Task Wrong_usage_is_one_clear_line(string line, string expected)
    {
        var (exitCode, output, error) = await RunAsync(line.Split(' '));

        exitCode.ShouldBe(ExitCode.Usage);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_a_failure_and_no_empty_list()
    {
        var (exitCode, output, error) = await RunAsync(["once", "stats", "--store", "Host=127.0.0.1;Port=1;Username=shop"]);

        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldBeEmpty();
        error.ShouldContain("127.0.0.1:1");
    }

    [Fact]
    public async Task The_schema_is_what_the_store_itself_runs() =>
        (await RunAsync(["once", "schema"])).Output.ShouldBe(Retry.Messaging.Idempotency.PostgreSql.PostgreSqlSchema.Sql);

    public void Dispose() => _sqlite.Dispose();

    private async Task WorksAsync(IIdempotencyStore store, IIdempotencyInspector inspector, string connection)
    {
        (await RunAsync(["once", "stats"], connection)).Output.ShouldStartWith("The store has no keys.");
        await EndAsync(store, Consumer, "4711", Done);
        await EndAsync(store, Other, "4711", Done with { IsFailure = true });
        await AcquireAsync(store, Consumer, "runs", TimeSpan.FromMinutes(1));
        await AcquireAsync(store, Consumer, "unsure", TimeSpan.FromMilliseconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        await Waiting.Eventually.TrueAsync(async () => (await inspector.FindAsync("unsure", default)).Single().IsLeaseOver, TimeSpan.FromSeconds(10));

        var stats = (await JsonAsync(["once", "stats"], connection)).ToDictionary(line => line.GetProperty("consumer").GetString()!);
        string.Join(' ', new[] { "running", "uncertain", "done", "failed" }.Select(name => stats[Consumer].GetProperty(name).GetInt64())).ShouldBe("1 1 1 0");
        stats[Other].GetProperty("failed").GetInt64().ShouldBe(1);

        var shown = await RunAsync(["once", "show", "4711"], connection);
        shown.Output.ShouldContain(Consumer);
        shown.Output.ShouldContain("failed for good");
        shown.Output.ShouldContain("its answers have 23 bytes");
        shown.Output.ShouldNotContain("receipt");
        (await JsonAsync(["once", "show", "unsure"], connection)).Single().GetProperty("state").GetString().ShouldBe("unsure");
        (await RunAsync(["once", "show", "0815"], connection)).ExitCode.ShouldBe(ExitCode.Failed);

        var misspelled = await RunAsync(["once", "forget", "4711", "--consumer", "Paiments", "--yes"], connection);
        misspelled.ExitCode.ShouldBe(ExitCode.Failed);
        misspelled.Error.ShouldContain(Consumer);
        (await RunAsync(["once", "forget", "4711", "--consumer", Consumer, "--yes"], connection)).ExitCode.ShouldBe(ExitCode.Done);
        (await AcquireAsync(store, Consumer, "4711", TimeSpan.FromMilliseconds(1))).ShouldBeOfType<IdempotencyVerdict.Run>();
        (await AcquireAsync(store, Other, "4711", TimeSpan.FromMinutes(1))).ShouldBeOfType<IdempotencyVerdict.Ended>();
        var kept = await RunAsync(["once", "forget", "runs", "--yes"], connection);
        kept.ExitCode.ShouldBe(ExitCode.Failed);
        kept.Error.ShouldContain("kept, because it runs under a lease");
        (await AcquireAsync(store, Consumer, "runs", TimeSpan.FromMinutes(1))).ShouldBeOfType<IdempotencyVerdict.InProgress>();

        (await JsonAsync(["once", "prune", "--older-than", "1h", "--yes"], connection)).Single().GetProperty("pruned").GetInt64().ShouldBe(0);
    }

    private static async Task EndAsync(IIdempotencyStore store, string consumer, string key, IdempotencyResult result)
    {
        var run = (await AcquireAsync(store, consumer, key, TimeSpan.FromMinutes(1))).ShouldBeOfType<IdempotencyVerdict.Run>();
        (await store.EndAsync(run.Lease, result, null, default)).ShouldBeTrue();
    }

    private static Task<IdempotencyVerdict> AcquireAsync(IIdempotencyStore store, string consumer, string key, TimeSpan lease) =>
        store.AcquireAsync(new IdempotencyRequest(new IdempotencyKey(consumer, key), "hash", lease), default);

    private async Task<IReadOnlyList<JsonElement>> JsonAsync(string[] line, string connection)
    {
        var (exitCode, output, error) = await RunAsync([.. line, "--json"], connection);
        exitCode.ShouldBe(ExitCode.Done, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => JsonSerializer.Deserialize<JsonElement>(text))];
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] line, string? connection = null)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost { Out = output, Error = error, Time = _time, Width = 80, Variable = name => name == "RETRY_STORE" ? connection : null };
        var exitCode = await RetryCtl.InvokeAsync(line, host, default);
        return (exitCode, output.ToString(), error.ToString());
    }
}
