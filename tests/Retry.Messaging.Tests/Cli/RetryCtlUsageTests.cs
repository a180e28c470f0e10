using System.CommandLine;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Cli;

public sealed class RetryCtlUsageTests
{
    private const string Nowhere = "--broker amqp://shop:s3cret@127.0.0.1:1/v";

    [Theory]
    [InlineData("parked list", 249)]
    [InlineData("parked show", 300)]
    [InlineData("parked replay", 249)]
    public async Task A_queue_name_whose_parking_lot_no_broker_can_have_is_wrong_usage(string command, int length)
    {
        var (exitCode, _, error) = await RunAsync($"{command} {new string('q', length)} {(command == "parked list" ? string.Empty : "1 ")}{Nowhere}");

        exitCode.ShouldBe(ExitCode.Usage);
        error.ShouldContain($"QUEUE: found a name of {length} bytes, wanted 248 at most");
    }

    [Theory]
    [InlineData("", "wanted one of points, nodes, delayed, topology, parked, plans, rules, lost")]
    [InlineData("parked", "wanted one of list, show, replay, discard")]
    [InlineData("parked eat", "Found 'eat', wanted one of list, show, replay, discard")]
    [InlineData("parked list", "Found no QUEUE, wanted a work queue's name, or --queue with the name of an error queue")]
    [InlineData("parked list payments", "Found no broker")]
    [InlineData("parked list payments extra", "'extra'")]
    [InlineData("parked list payments --limit x " + Nowhere, "--limit: found 'x'")]
    [InlineData("parked list payments --limit -1 " + Nowhere, "--limit: found '-1'")]
    [InlineData("schedule list --limit x " + Nowhere, "--limit: found 'x'")]
    [InlineData("schedule list --limit -1 " + Nowhere, "--limit: found '-1'")]
    [InlineData("schedule cancel foo " + Nowhere, "TOKEN: found 'foo', wanted a UUID")]
    [InlineData("schedule frob", "Found 'frob', wanted one of list, show, cancel, pause, resume, now")]
    [InlineData("parked list payments --group-by color " + Nowhere, "--group-by: found 'color', wanted one of reason, exception, type, tenant, fingerprint, header:NAME")]
    [InlineData("parked list payments --group-by reason --limit 1 " + Nowhere, "Found --limit beside --group-by")]
    [InlineData("parked list payments --group-by header: " + Nowhere, "--group-by: found 'header:'")]
    [InlineData("parked list payments --since noon " + Nowhere, "--since: found 'noon'")]
    [InlineData("parked list payments --header tenant " + Nowhere, "--header: found 'tenant'")]
    [InlineData("parked list payments --broker shop:s3cret@localhost", "Found no scheme")]
    [InlineData("parked list payments amqp://shop:s3cret@localhost", "***")]
    [InlineData("parked show payments " + Nowhere, "Found no ID, wanted one as 'retryctl parked list payments' shows it")]
    [InlineData("parked show --queue payments_error " + Nowhere, "Found no ID, wanted one as 'retryctl parked list --queue payments_error' shows it")]
    [InlineData("parked show payments 1 --queue payments_error " + Nowhere, "Found 'payments' beside --queue, wanted no QUEUE, and ids as 'retryctl parked list --queue payments_error' shows them")]
    [InlineData("parked list payments --queue payments_error " + Nowhere, "Found 'payments' beside --queue")]
    [InlineData("parked replay payments --all --yes --queue payments_error " + Nowhere, "Found 'payments' beside --queue")]
    [InlineData("parked discard --queue payments_error --yes " + Nowhere, "Found no choice of messages")]
    [InlineData("parked replay --queue payments_error --all " + Nowhere, "wanted --yes")]
    [InlineData("parked list --queue", "--queue")]
    [InlineData("parked list --queue " + Nowhere, "--queue: found '--broker', wanted the name of an error queue")]
    [InlineData("parked list --queue payments.parked " + Nowhere, "Give the point's name, 'payments', without --queue")]
    [InlineData("parked list --queue payments.release " + Nowhere, "where messages of 'payments' wait for its limiter")]
    [InlineData("parked discard --all --yes --queue retry.v1.30s " + Nowhere, "a queue of the ladder")]
    [InlineData("parked list --queue retry.v1.lost " + Nowhere, "Use 'retryctl lost list'")]
    [InlineData("parked show payments 1 2 --body-to x " + Nowhere, "--body-to: found 2 ids")]
    [InlineData("parked replay payments " + Nowhere, "Found no choice of messages")]
    [InlineData("parked replay payments 1 --all " + Nowhere, "more than one of ids, conditions and --all")]
    [InlineData("parked list payments --reason Fialed " + Nowhere, "Did you mean 'Failed'?")]
    [InlineData("parked replay payments --reason Failed --all " + Nowhere, "more than one of ids, conditions and --all")]
    [InlineData("parked replay payments --all " + Nowhere, "wanted --yes")]
    [InlineData("parked replay payments --reason Failed " + Nowhere, "wanted --yes")]
    [InlineData("parked discard payments 1 " + Nowhere, "wanted --yes")]
    [InlineData("parked list payments --attempts some " + Nowhere, "--attempts: found 'some', wanted a number of attempts such as 3, 3.., ..3 or 3..5")]
    [InlineData("parked list payments --attempts 5..3 " + Nowhere, "--attempts: found '5..3'")]
    [InlineData("parked list payments --attempts .. " + Nowhere, "--attempts: found '..'")]
    [InlineData("parked list payments --attempts 1..2..3 " + Nowhere, "--attempts: found '1..2..3'")]
    [InlineData("parked list payments --attempts -1 " + Nowhere, "--attempts: found '-1'")]
    [InlineData("parked list payments --group fingerprint " + Nowhere, "--group: found 'fingerprint', wanted KEY=ID")]
    [InlineData("parked list payments --group color=1f3a09cc " + Nowhere, "--group: found 'color=1f3a09cc'")]
    [InlineData("parked list payments --tenant", "--tenant")]
    [InlineData("parked replay payments --group reason=1f3a09cc --all " + Nowhere, "more than one of ids, conditions and --all")]
    [InlineData("parked replay payments --all --yes --rate 0 " + Nowhere, "--rate: found 0, wanted 0.000278 (one an hour) to")]
    [InlineData("parked replay payments --all --yes --rate fast " + Nowhere, "'fast'")]
    [InlineData("parked discard payments --all --yes --rate -3 " + Nowhere, "--rate: found -3")]
    [InlineData("parked replay payments --all --yes --to retry.v1.30s " + Nowhere, "--to: ")]
    [InlineData("parked replay payments --all --yes --to payments.parked " + Nowhere, "--to: ")]
    [InlineData("parked replay payments --all --yes --set-header x " + Nowhere, "--set-header: found 'x', wanted NAME=VALUE")]
    [InlineData("parked replay payments --all --yes --set-header retry-attempt=1 " + Nowhere, "--set-header: found 'retry-attempt', which this library writes")]
    [InlineData("parked replay payments --all --yes --set-header x-death=1 " + Nowhere, "--set-header: found 'x-death', which the broker writes or follows")]
    [InlineData("parked replay payments --all --yes --set-header CC=orders " + Nowhere, "--set-header: found 'CC'")]
    [InlineData("parked replay payments --all --yes --edit " + Nowhere, "--edit: found 0 ids, wanted one")]
    [InlineData("parked replay payments 1 2 --edit " + Nowhere, "--edit: found 2 ids, wanted one")]
    [InlineData("parked replay --queue payments_error --all --yes --to orders " + Nowhere, "beside --queue, wanted a point's parking lot")]
    [InlineData("parked replay --queue payments_error --all --yes --set-header a=b " + Nowhere, "beside --queue, wanted a point's parking lot")]
    [InlineData("parked list --queue payments_error --archived " + Nowhere, "Found --archived beside --queue")]
    [InlineData("parked archive payments " + Nowhere, "Found no choice of messages")]
    [InlineData("parked archive payments --all " + Nowhere, "wanted --yes")]
    [InlineData("parked restore payments --all " + Nowhere, "wanted --yes")]
    [InlineData("parked adopt", "Found no ")]
    [InlineData("parked adopt payments_error " + Nowhere, "wanted --yes")]
    [InlineData("parked adopt dead.letters --yes " + Nowhere, "'dead.letters' does not tell whose error queue it is, wanted --to")]
    [InlineData("parked adopt payments.parked --yes " + Nowhere, "ERROR-QUEUE: found 'payments.parked'")]
    [InlineData("parked adopt payments_error --yes --to retry.v1.30s " + Nowhere, "--to: ")]
    [InlineData("parked import payments", "Found no ")]
    [InlineData("parked import payments /nowhere/at.all " + Nowhere, "FILE: found no file '/nowhere/at.all'")]
    [InlineData("parked export payments --output /proc/version " + Nowhere, "--output: '/proc/version' exists already")]
    [InlineData("plans", "wanted one of list, show, resume, cancel")]
    [InlineData("parked replay payments --all --yes --detach --dry-run " + Nowhere, "Found --detach beside --dry-run, wanted one of them")]
    [InlineData("parked replay --queue payments_error --all --yes --detach " + Nowhere, "Found --detach beside --queue, wanted one of them")]
    [InlineData("parked adopt payments_error --yes --detach " + Nowhere, "--detach")]
    [InlineData("parked replay payments --all --detach " + Nowhere, "wanted --yes")]
    [InlineData("plans resume --detach " + Nowhere, "Found no ")]
    [InlineData("plans list payments " + Nowhere, "'payments'")]
    [InlineData("plans show", "Found no ")]
    [InlineData("plans resume", "Found no ")]
    [InlineData("plans resume 019ad1 --rate 0 " + Nowhere, "--rate: found 0")]
    [InlineData("plans cancel", "Found no ")]
    [InlineData("plans cancel 019ad1", "Found no broker")]
    [InlineData("delayed", "wanted one of list, release")]
    [InlineData("delayed list", "Found no broker")]
    [InlineData("delayed list payments mails " + Nowhere, "'mails'")]
    [InlineData("delayed release", "Found no ")]
    [InlineData("delayed release payments " + Nowhere, "wanted --yes")]
    [InlineData("delayed release payments --yes", "Found no broker")]
    [InlineData("delayed release payments --yes --older-than soon " + Nowhere, "--older-than: found 'soon', wanted an age such as 10m or 1h30m")]
    [InlineData("delayed release payments --yes --older-than 0s " + Nowhere, "--older-than: found '0s'")]
    [InlineData("delayed release retry.v1.30s --yes " + Nowhere, "retry.v1.30s")]
    [InlineData("points", "Found no broker")]
    [InlineData("points payments " + Nowhere, "'payments'")]
    [InlineData("topology apply", "Found no broker")]
    [InlineData("topology verify", "Found no broker")]
    [InlineData("parked list payments --reason Rejected " + Nowhere, "--reason: found 'Rejected', wanted one of Exhausted, Failed,")]
    [InlineData("topology verify --management http://u:s3cret@h " + Nowhere, "--management: Found a user or password")]
    [InlineData("lost", "wanted one of list, replay")]
    [InlineData("lost replay " + Nowhere, "Found no choice of messages")]
    [InlineData("lost replay --all " + Nowhere, "wanted --yes")]
    [InlineData("lost replay 1 --queue orders " + Nowhere, "more than one of ids, conditions and --all")]
    [InlineData("lost list --limit x " + Nowhere, "--limit: found 'x'")]
    [InlineData("topology plan --point a.#.b", "wildcard")]
    [InlineData("topology apply --point order* " + Nowhere, "wildcard")]
    [InlineData("topology apply --point retry.v1.lost " + Nowhere, "a name of the ladder itself")]
    [InlineData("topology apply --point retry.parking " + Nowhere, "a name of the ladder itself")]
    [InlineData("topology apply --point orders.parked " + Nowhere, "the parking lot of 'orders'")]
    [InlineData("topology apply --isolated orders.release " + Nowhere, "--isolated: found 'orders.release', the name of the release queue of 'orders'")]
    [InlineData("topology verify --point orders.parked " + Nowhere, "the parking lot of 'orders'")]
    [InlineData("topology apply --point orders --isolated " + Nowhere, "--isolated: found '--broker', wanted a work queue's name")]
    [InlineData("topology export --boot-user shop", "without --boot")]
    [InlineData("topology export --boot --boot-user shop", "RETRY_BOOT_PASSWORD")]
    [InlineData("topology remove " + Nowhere, "Found no point, wanted --point QUEUE or --release QUEUE")]
    [InlineData("topology remove --point payments " + Nowhere, "wanted --yes")]
    [InlineData("nodes", "Found no broker")]
    [InlineData("nodes payments mails " + Nowhere, "'mails'")]
    [InlineData("limiter", "wanted one of run, status, rate, pause, resume")]
    [InlineData("limiter status " + Nowhere, "Found no QUEUE, wanted the work queue")]
    [InlineData("limiter status payments mails " + Nowhere, "'mails'")]
    [InlineData("limiter pause " + Nowhere, "Found no QUEUE")]
    [InlineData("limiter resume payments", "Found no broker")]
    [InlineData("limiter rate payments " + Nowhere, "Found no PER_SECOND")]
    [InlineData("limiter rate payments fast " + Nowhere, "PER_SECOND: found 'fast', wanted a number")]
    [InlineData("limiter rate payments 0 " + Nowhere, "PER_SECOND: found 0, wanted 0.000278 (one an hour) to")]
    [InlineData("limiter run " + Nowhere, "'--point' is required")]
    [InlineData("limiter run --point payments --rate -1 " + Nowhere, "--rate")]
    [InlineData("breaker", "wanted one of status, open, close, auto")]
    [InlineData("breaker status " + Nowhere, "Found no QUEUE")]
    [InlineData("breaker open payments mails " + Nowhere, "'mails'")]
    [InlineData("breaker close payments", "Found no broker")]
    [InlineData("breaker auto retry.v1.30s " + Nowhere, "retry.v1.30s")]
    [InlineData("policy", "wanted one of show, set, clear")]
    [InlineData("policy show " + Nowhere, "Found no QUEUE")]
    [InlineData("policy set payments " + Nowhere, "Found no setting, wanted at least one")]
    [InlineData("policy set payments --retries many " + Nowhere, "found 'many', wanted a number such as 8, or UntilExpired")]
    [InlineData("policy clear payments mails " + Nowhere, "'mails'")]
    [InlineData("rules", "wanted one of list, show, set, pause, resume, remove")]
    [InlineData("rules list payments mails " + Nowhere, "'mails'")]
    [InlineData("rules show payments " + Nowhere, "Found no NAME, wanted the")]
    [InlineData("rules pause payments", "Found no NAME, wanted the")]
    [InlineData("rules resume payments nightly", "Found no broker")]
    [InlineData("rules remove payments nightly", "Found no broker")]
    [InlineData("once", "wanted one of stats, show, forget, prune, schema")]
    [InlineData("once schema mysql", "'mysql'")]
    [InlineData("schedule show " + Nowhere, "Found no NAME, wanted the name of a recurrence")]
    [InlineData("schedule pause " + Nowhere, "Found no NAME")]
    [InlineData("schedule resume nightly extra " + Nowhere, "'extra'")]
    [InlineData("schedule now nightly", "Found no broker")]
    [InlineData("parked replay payments 1 --dryrun " + Nowhere, "Found '--dryrun', which is no option of 'retryctl parked replay'; a name that begins so stands after '--'")]
    [InlineData("parked discard payments 1 --dryrun --yes " + Nowhere, "Found '--dryrun'")]
    [InlineData("parked list --frob " + Nowhere, "Found '--frob'")]
    [InlineData("parked import payments --dry-run " + Nowhere, "Found '--dry-run'")]
    [InlineData("nodes -x " + Nowhere, "Found '-x'")]
    [InlineData("scheduler run", "Found no broker")]
    [InlineData("scheduler run --frob " + Nowhere, "'--frob'")]
    public async Task Wrong_usage_is_one_clear_line_and_exit_code_2(string line, string expected)
    {
        var (exitCode, output, error) = await RunAsync(line);
        exitCode.ShouldBe(ExitCode.Usage);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
        error.ShouldNotContain("s3cret");
        error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(text => !text.Contains("warning", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>The tables of wrong usage, of which this class has the longest, leave out no command.</summary>
    [Fact]
    public void Wrong_usage_is_tried_of_every_command()
    {
        Type[] tables = [typeof(RetryCtlUsageTests), typeof(RulesUsageTests), typeof(OnceCommandTests)];
        var tried = tables
            .SelectMany(type => type.GetMethods().Where(method => method.Name.StartsWith("Wrong_usage", StringComparison.Ordinal)))
            .SelectMany(method => method.GetCustomAttributes(typeof(InlineDataAttribute), inherit: false).Cast<InlineDataAttribute>().Select(row => row.GetData(method).Single()))
            .Select(row => (string)row[0])
            .ToList();

        var untried = Leaves(RetryCtl.Root(new CliHost { Out = TextWriter.Null, Error = TextWriter.Null }), string.Empty)
            .Where(path => !tried.Exists(line => line == path || line.StartsWith(path + " ", StringComparison.Ordinal)));

        untried.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("parked --help")]
    [InlineData("parked replay --help")]
    [InlineData("topology export --help")]
    public async Task Help_is_no_error(string line)
    {
        var (exitCode, output, error) = await RunAsync(line);
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("--json");
        error.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_password_on_the_command_line_is_warned_about_and_never_repeated()
    {
        var (exitCode, output, error) = await RunAsync("parked list payments " + Nowhere);
        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldBeEmpty();
        error.ShouldContain("warning");
        error.ShouldContain("No broker answers at amqp://shop:***@127.0.0.1:1/v");
        error.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task A_name_that_begins_like_an_option_stands_behind_two_dashes()
    {
        var (exitCode, _, error) = await RunAsync($"parked show {Nowhere} -- payments --odd");
        exitCode.ShouldBe(ExitCode.Failed, error);
        error.ShouldContain("No broker answers");
    }

    [Fact]
    public async Task The_address_in_the_environment_is_not_warned_about()
    {
        var (exitCode, _, error) = await RunAsync("parked list payments", name => name == "RETRY_BROKER" ? "amqp://shop:s3cret@127.0.0.1:1/v" : null);
        exitCode.ShouldBe(ExitCode.Failed);
        error.ShouldNotContain("warning");
        error.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task The_plan_needs_no_broker_and_names_every_rung()
    {
        var (exitCode, output, _) = await RunAsync("topology plan --point payments");
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("retry.v1.30s");
        output.ShouldContain("payments.parked");
        output.ShouldContain("11 exchanges, 61 queues, 69 bindings");
    }

    [Theory]
    [InlineData("topology plan --isolated payments", "payments.release")]
    [InlineData("topology plan --point payments --isolated payments", "11 exchanges, 62 queues, 70 bindings")]
    [InlineData("topology export --isolated payments", "\"x-single-active-consumer\": true")]
    public async Task A_point_that_is_limited_or_isolated_has_a_release_queue(string line, string expected)
    {
        var (exitCode, output, _) = await RunAsync(line);
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain(expected);
    }

    [Fact]
    public async Task An_export_promises_no_binding_that_the_service_may_not_make()
    {
        var (_, _, error) = await RunAsync("topology export --point payments");
        error.ShouldContain("A service with ManageTopology OnStart binds it when it starts. For any other service, run 'retryctl topology apply --point payments' once the queue exists.");
    }

    [Fact]
    public async Task The_boot_file_takes_its_password_from_the_environment()
    {
        var (exitCode, output, error) = await RunAsync("topology export --boot --boot-user shop", name => name == "RETRY_BOOT_PASSWORD" ? "s3cret" : null);
        exitCode.ShouldBe(ExitCode.Done);
        output.ShouldContain("\"name\": \"shop\"");
        (output + error).ShouldNotContain("s3cret");
    }

    [Theory]
    [InlineData("amqp://u:p@h", "amqp://u:***@h")]
    [InlineData("'amqp://u:p@x/y@h/v' and more@here", "'amqp://u:***@h/v' and more@here")]
    [InlineData("no address: a@b", "no address: a@b")]
    [InlineData("wanted amqp://user:password@host:port/vhost", "wanted amqp://user:password@host:port/vhost")]
    public void Masks(string text, string masked) => SecretMask.Apply(text).ShouldBe(masked);

    [Theory]
    [InlineData("retryctl parked li", "list")]
    [InlineData("retryctl parked list payments --reason Un", "Unhandled")]
    [InlineData("retryctl topology apply --po", "--point")]
    public async Task A_shell_that_asks_gets_the_words_that_may_follow(string line, string word)
    {
        using var output = new StringWriter();

        (await RetryCtl.InvokeAsync([$"[suggest:{line.Length}]", line], output, TextWriter.Null)).ShouldBe(ExitCode.Done);

        output.ToString().Split(Environment.NewLine).ShouldContain(word);
    }

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0
        ? [path]
        : command.Subcommands.SelectMany(one => Leaves(one, path.Length == 0 ? one.Name : $"{path} {one.Name}"));

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string line, Func<string, string?>? variable = null)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await RetryCtl.InvokeAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), new CliHost { Out = output, Error = error, Variable = variable ?? (_ => null) });
        return (exitCode, output.ToString(), error.ToString());
    }
}
