using System.CommandLine;
using Retry.Messaging.Cli.Commands.Limiter;
using Retry.Messaging.Cli.Commands.Parked;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Rules;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary><c>rules set QUEUE NAME</c>: which messages are replayed by themselves, and when.</summary>
internal sealed class RulesSetCommand
{
    private const int MostTimes = 1000;

    private readonly CliHost _host;
    private readonly Argument<string> _queue = LimiterCommand.Queue();
    private readonly Argument<string> _name = RulesCommand.Name();
    private readonly TriggerOptions _trigger;
    private readonly ConditionOptions _conditions = new();
    private readonly Option<bool> _all = new("--all") { Description = "Every parked message." };
    private readonly Option<double?> _rate = MoveOptions.Rate();
    private readonly Option<int> _times = new("--times")
    {
        Description = "How often a message may be replayed at the most, by this rule, others or hand. One that has been stays parked.",
        HelpName = "COUNT",
        DefaultValueFactory = static _ => 1,
    };

    private readonly Option<int?> _limit = new("--limit") { Description = "How many messages a run takes at the most, the oldest first.", HelpName = "COUNT" };
    private readonly Option<string?> _why = RulesCommand.Why();

    private RulesSetCommand(CliHost host, Command command)
    {
        _host = host;
        command.Arguments.Add(_queue);
        command.Arguments.Add(_name);
        _trigger = new TriggerOptions(command);
        foreach (var option in (Option[])[_all, _rate, _times, _limit, _why])
        {
            command.Options.Add(option);
        }

        _conditions.AddTo(command, isOfLost: false);
        command.SetAction(RunAsync);
    }

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "set",
            "Sets a rule, in place of the one of its name: one of --cron, --closed-for and --build says when, conditions or --all say which messages. What is set anew with the same times is the same rule, and does not repeat what it has done.");
        _ = new RulesSetCommand(host, command);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var rule = Read(parsed);
        var why = PolicyCommand.WhyOf(parsed, _why);
        var connection = await GlobalOptions.ConnectAsync(parsed, _host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);

        // a queue that does not exist is said before anything is written
        await LimiterCommand.ReadAsync(new LimiterControl(connection, _host.Time), rule.Point, cancellationToken).ConfigureAwait(false);
        var set = await new RuleControl(connection, _host.Operator, _host.Time).SetAsync(rule, why, cancellationToken).ConfigureAwait(false);
        return await RuleAnswer.WriteAsync(_host, parsed, connection, set, cancellationToken).ConfigureAwait(false);
    }

    private Rule Read(ParseResult parsed)
    {
        var now = _host.Time.GetUtcNow();
        var conditions = _conditions.RuleOf(parsed, now);
        return (parsed.GetValue(_all), conditions.Words().Count) switch
        {
            (false, 0) => throw new UsageException("Found no choice of messages, wanted a condition such as --reason, or --all."),
            (true, > 0) => throw new UsageException("Found both conditions and --all, wanted one of them."),
            _ => new Rule(LimiterCommand.QueueOf(parsed.GetValue(_queue)), RulesCommand.NameOf(parsed.GetValue(_name)))
            {
                Id = string.Empty,
                Trigger = _trigger.Of(parsed),
                Conditions = conditions,
                PerSecond = MoveOptions.RateOf(parsed.GetValue(_rate)),
                Times = CountOf(_times, parsed.GetValue(_times), MostTimes),
                Limit = parsed.GetValue(_limit) is { } limit ? CountOf(_limit, limit, int.MaxValue) : null,
                Set = new RuleWord(_host.Operator, now, null),
            },
        };
    }

    private static int CountOf(Option option, int count, int most) => count >= 1 && count <= most
        ? count
        : throw new UsageException($"{option.Name}: found {count}, wanted 1 to {most}.");
}
