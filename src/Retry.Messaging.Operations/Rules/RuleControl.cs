using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Rules;

/// <summary>What operators say about rules.</summary>
/// <param name="connection">An open connection.</param>
/// <param name="by">Who says so.</param>
/// <param name="time">The clock.</param>
internal sealed class RuleControl(IConnection connection, string by, TimeProvider time)
{
    private const int Tries = 10;

    /// <summary>Reads all rules. It writes nothing.</summary>
    /// <exception cref="ControlException">They cannot be read.</exception>
    public async Task<RuleBook> ReadAsync(CancellationToken cancellationToken)
    {
        var book = new RuleBook();
        var log = await OpenAsync(book, declare: false, cancellationToken).ConfigureAwait(false);
        await log.DisposeAsync().ConfigureAwait(false);
        return book;
    }

    /// <summary>Sets a rule, in place of the one of its name.</summary>
    /// <param name="wanted">The rule; who set it, its id and its runs follow from the one before.</param>
    /// <param name="why">Why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">It cannot be written.</exception>
    public async Task<Rule> SetAsync(Rule wanted, string? why, CancellationToken cancellationToken) => (await ChangeAsync(
        wanted.Point,
        wanted.Name,
        declare: true,
        entry =>
        {
            var now = time.GetUtcNow();
            var before = entry is { Lives: true } ? entry.Rule : null;
            // with the same times it is the same rule: what it has done is not done again
            var isSame = before?.Trigger == wanted.Trigger;
            return wanted with
            {
                Id = isSame ? before!.Id : Guid.NewGuid().ToString("N"),
                Since = isSame ? before!.Since : now,
                Set = new RuleWord(by, now, why),
                Paused = before?.Paused,
                Runs = entry?.Rule?.Runs ?? [],
            };
        },
        cancellationToken).ConfigureAwait(false))!;

    /// <summary>Has a rule rest until <see cref="ResumeAsync"/>.</summary>
    /// <returns>The rule; <see langword="null"/> where there is none.</returns>
    /// <exception cref="ControlException">It cannot be read or written.</exception>
    public Task<Rule?> PauseAsync(string point, string name, string? why, CancellationToken cancellationToken) =>
        SayAsync(point, name, rule => rule.Paused is null ? rule with { Paused = Word(why) } : rule, cancellationToken);

    /// <summary>Ends a pause. What came due in it does not count.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<Rule?> ResumeAsync(string point, string name, CancellationToken cancellationToken) =>
        SayAsync(point, name, rule => rule.Paused is null ? rule : rule with { Paused = null, Since = time.GetUtcNow() }, cancellationToken);

    /// <summary>Removes a rule, also one that cannot be read.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<Rule?> RemoveAsync(string point, string name, string? why, CancellationToken cancellationToken) => ChangeAsync(
        point,
        name,
        declare: false,
        entry => entry is not { Lives: true } ? null
            : entry.Rule is { } rule ? rule with { Removed = Word(why), Conditions = new(), Runs = rule.Unfinished is { } run ? [run] : [] }
            : new Rule(point, name) { Id = string.Empty, Trigger = new(), Set = Word(null), Removed = Word(why) },
        cancellationToken);

    private RuleWord Word(string? why) => new(by, time.GetUtcNow(), why);

    private Task<Rule?> SayAsync(string point, string name, Func<Rule, Rule> say, CancellationToken cancellationToken) => ChangeAsync(
        point,
        name,
        declare: false,
        entry => entry switch
        {
            { WhyUnreadable: { } why } => throw new ControlException($"The rule '{name}' of '{point}' cannot be read by this version ({why}). Use the version of retryctl that wrote it, or 'retryctl rules remove {point} {name}'."),
            { Lives: true, Rule: { } rule } => say(rule),
            _ => null,
        },
        cancellationToken);

    private async Task<Rule?> ChangeAsync(string point, string name, bool declare, Func<RuleEntry?, Rule?> change, CancellationToken cancellationToken)
    {
        var book = new RuleBook();
        var log = await OpenAsync(book, declare, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        for (var tries = 0; tries < Tries; tries++)
        {
            var entry = book.Find(point, name);
            if (change(entry) is not { } rule)
            {
                return null;
            }

            if (ReferenceEquals(rule, entry?.Rule)
                || await log.AppendAsync(RuleDocuments.Write(rule, (entry?.Version ?? 0) + 1, by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false))
            {
                return book.Find(point, name)!.Rule;
            }
        }

        throw new ControlException($"The rule '{name}' of '{point}' was not written: others wrote it at the same time, {Tries} times. Try again.");
    }

    private Task<ControlLog> OpenAsync(RuleBook book, bool declare, CancellationToken cancellationToken) => ControlLog.OpenAsync(
        new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, time),
        declare,
        book.Read,
        static () => { },
        cancellationToken);
}
