using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Retry.Messaging.Naming;
using Retry.Messaging.Operations.Plans;
using Retry.Messaging.RabbitMq;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.Operations.Rules;

/// <summary>Has a service take part in carrying out rules: of all services that do, one decides, and another follows when it is gone.</summary>
/// <remarks>The one has a lock of the broker, which goes with the connection on which it reads, claims and makes plans.</remarks>
internal sealed partial class RuleCarrier(IBrokerConnection broker, TimeProvider time, ILogger<RuleCarrier> logger) : BrokerService(broker, time)
{
    private readonly RuleBook _book = new();

    /// <inheritdoc/>
    protected override async Task ServeAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var turn = await BrokerLock.TryTakeAsync(connection, BrokerNames.RuleTurn, "that somebody decides when rules replay", cancellationToken).ConfigureAwait(false);
        if (turn is null)
        {
            return;
        }

        await using var turnEnds = turn.ConfigureAwait(false);
        var log = await ControlLog.OpenAsync(
            new RecordStream(connection, BrokerNames.ControlStream, ControlLog.Retention, Time),
            declare: true,
            _book.Read,
            static () => { },
            cancellationToken).ConfigureAwait(false);
        await using var logEnds = log.ConfigureAwait(false);
        foreach (var lost in _book.MissingIn(log))
        {
            await log.AppendAsync(lost with { IsRepeat = false }, cancellationToken).ConfigureAwait(false);
        }

        var plans = await PlanLog.OpenAsync(connection, declare: true, Time, cancellationToken).ConfigureAwait(false);
        await using var plansEnd = plans.ConfigureAwait(false);
        var session = new RuleSession(connection, log, plans, _book, Time, logger);
        await session.RunAsync(() => turn.IsHeld, cancellationToken).ConfigureAwait(false);
        if ((log.Failure ?? plans.Failure) is { } failure)
        {
            throw new ControlException(failure);
        }
    }

    [LoggerMessage(LogEvents.RulesUnseen, LogLevel.Warning, "Rules cannot be seen, and this service carries out none of them: {Reason}")]
    protected override partial void LogUnseen(string reason);
}
