using MassTransit;
using MassTransit.Scheduling;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.MassTransit.Scheduling;

/// <summary>Takes MassTransit's commands about recurring messages, which it publishes to whoever schedules, and writes what they say.</summary>
/// <remarks>
/// When the call returns, the broker has it, and a call that cannot be served fails. The command itself goes nowhere: a scheduler that is left
/// over elsewhere would have the message recur a second time.
/// </remarks>
internal sealed class RecurringCalls(Func<IBus> bus, RecurrenceRunner runner, TimeProvider time)
{
    // as long as a scheduled send waits for a first ladder
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    /// <summary>Whether a publish is such a command.</summary>
    public static bool Concerns(SendContext context) => MessageOf(context) is not null;

    /// <summary>Does what a command says, and has it go nowhere.</summary>
    /// <exception cref="TransportException">It could not be done.</exception>
    public async Task TakeAsync(SendContext context)
    {
        try
        {
            await ObeyAsync(MessageOf(context)!, context, context.CancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ControlException or FormatException or TimeoutException)
        {
            throw new TransportException(context.DestinationAddress ?? bus().Address, $"The recurring message was not scheduled, or not changed. {exception.Message}", exception);
        }

        ScheduledSend.GoNowhere(context);
    }

    /// <summary>Writes what recurs.</summary>
    /// <param name="command">MassTransit's command.</param>
    /// <param name="call">What was said about the message when it was called; <see langword="null"/> for nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ControlException">It cannot be written.</exception>
    /// <exception cref="FormatException">Name, cron expression or time zone make no sense.</exception>
    /// <exception cref="TimeoutException">There is no connection.</exception>
    public async Task ScheduleAsync(ScheduleRecurringMessage command, SendContext? call, CancellationToken cancellationToken)
    {
        var schedule = command.Schedule;
        var name = RecurrenceName.Of(schedule.ScheduleGroup, schedule.ScheduleId);
        var definition = new RecurrenceDefinition
        {
            Cron = schedule.CronExpression ?? string.Empty,
            TimeZone = schedule.TimeZoneId,
            // a first moment that has passed says nothing, and is another at each start
            First = schedule.StartTime > time.GetUtcNow() ? schedule.StartTime.ToUniversalTime() : null,
            Last = schedule.EndTime?.ToUniversalTime(),
            Missed = schedule is CodeSchedule code ? code.Missed : schedule.MisfirePolicy == MissedEventPolicy.Skip ? MissedSlots.Skip : MissedSlots.Once,
            Description = string.IsNullOrEmpty(schedule.Description) ? null : schedule.Description,
        };
        _ = definition.Slots();
        var writer = await WriterAsync(cancellationToken).ConfigureAwait(false);
        var message = await CaptureAsync(command, call, cancellationToken).ConfigureAwait(false);
        await writer.DefineAsync(name, definition with { Message = message }, cancellationToken).ConfigureAwait(false);
    }

    private static object? MessageOf(SendContext context) => context switch
    {
        SendContext<ScheduleRecurringMessage> schedule => schedule.Message,
        SendContext<CancelScheduledRecurringMessage> cancel => cancel.Message,
        SendContext<PauseScheduledRecurringMessage> pause => pause.Message,
        SendContext<ResumeScheduledRecurringMessage> resume => resume.Message,
        _ => null,
    };

    private async Task ObeyAsync(object command, SendContext call, CancellationToken cancellationToken)
    {
        switch (command)
        {
            case ScheduleRecurringMessage schedule:
                await ScheduleAsync(schedule, call, cancellationToken).ConfigureAwait(false);
                break;

            case CancelScheduledRecurringMessage cancel:
                await ChangeAsync(cancel.ScheduleGroup, cancel.ScheduleId, (writer, name) => writer.RemoveAsync(name, cancellationToken)).ConfigureAwait(false);
                break;

            case PauseScheduledRecurringMessage pause:
                await ChangeAsync(pause.ScheduleGroup, pause.ScheduleId, (writer, name) => writer.PauseAsync(name, cancellationToken)).ConfigureAwait(false);
                break;

            case ResumeScheduledRecurringMessage resume:
                await ChangeAsync(resume.ScheduleGroup, resume.ScheduleId, (writer, name) => writer.ResumeAsync(name, cancellationToken)).ConfigureAwait(false);
                break;
        }

        async Task ChangeAsync(string group, string id, Func<RecurrenceWriter, string, Task> change) =>
            await change(await WriterAsync(cancellationToken).ConfigureAwait(false), RecurrenceName.Of(group, id)).ConfigureAwait(false);
    }

    private async Task<RecurrenceWriter> WriterAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await runner.WriterAsync(LongestWait, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Found no connection to the control log within {LongestWait.TotalSeconds:0} s, wanted one. The log of the service says why; is the bus started?");
        }
    }

    // what the call said of the message, and not of the command
    private async Task<RecurringMessage> CaptureAsync(ScheduleRecurringMessage command, SendContext? call, CancellationToken cancellationToken)
    {
        var capture = new RecurringCapture();
        var endpoint = await bus().GetSendEndpoint(command.Destination).ConfigureAwait(false);
        await endpoint.Send(command.Payload, TypeOf(command), Pipe.Execute<SendContext>(Prepare), cancellationToken).ConfigureAwait(false);
        return capture.Message ?? throw new FormatException($"The address '{command.Destination}' is none of RabbitMQ.");

        void Prepare(SendContext context)
        {
            context.GetOrAddPayload(() => capture);
            if (call is null)
            {
                return;
            }

            foreach (var (name, value) in call.Headers.GetAll())
            {
                context.Headers.Set(name, value);
            }

            context.TimeToLive = call.TimeToLive;
            context.ResponseAddress = call.ResponseAddress;
            context.FaultAddress = call.FaultAddress;
            context.Durable = call.Durable;
            if (call.TryGetPayload<RabbitMqSendContext>(out var said) && context.TryGetPayload<RabbitMqSendContext>(out var rabbit))
            {
                rabbit.RoutingKey = string.IsNullOrEmpty(said.RoutingKey) ? rabbit.RoutingKey : said.RoutingKey;
                if (said.BasicProperties.IsPriorityPresent())
                {
                    rabbit.BasicProperties.Priority = said.BasicProperties.Priority;
                }
            }
        }
    }

    private static Type TypeOf(ScheduleRecurringMessage command) =>
        command.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(ScheduleRecurringMessageCommand<>)
            ? type.GenericTypeArguments[0]
            : command.Payload.GetType();
}
