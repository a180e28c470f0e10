using MassTransit.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Scheduling;
using Retry.Messaging.RabbitMq.Recurring;
using Retry.Messaging.Recurring;

#pragma warning disable IDE0130 // extensions live where the user already is
namespace MassTransit;
#pragma warning restore IDE0130

/// <summary>Messages that recur by a cron expression, added in code.</summary>
public static class GradientRecurringConfigurationExtensions
{
    /// <summary>Has a message published, or sent, again and again. It needs <c>AddGradientScheduler</c> on the same bus.</summary>
    /// <remarks>
    /// Any number of instances may add the same: each slot is sent once. The recurrence stands on the broker. It goes on while the service is
    /// down, if any other process with the scheduler runs, and it stays when this line is removed, until <c>CancelScheduledRecurringSend</c> ends it.
    /// A change of cron expression, zone, first or last moment counts from the start that brings it. On other transports than RabbitMQ nothing recurs.
    /// </remarks>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <param name="configurator">The bus's registration.</param>
    /// <param name="id">What it is known by: the same id is the same recurrence, in the whole virtual host.</param>
    /// <param name="cron">When: five fields, or six with seconds first.</param>
    /// <param name="message">The message.</param>
    /// <param name="configure">Time zone, destination and more.</param>
    /// <exception cref="FormatException">Id, expression or time zone make no sense.</exception>
    public static IBusRegistrationConfigurator AddRecurring<T>(
        this IBusRegistrationConfigurator configurator,
        string id,
        string cron,
        T message,
        Action<RecurringOptions>? configure = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(configurator);
        Add(
            configurator,
            static services => services.GetRequiredService<DependencyInjection.Bind<IBus, IBusRegistrationContext>>().Value,
            id,
            cron,
            message,
            configure);
        return configurator;
    }

    /// <summary>Has a message published, or sent, again and again by one of several buses (MultiBus).</summary>
    /// <typeparam name="TBus">The bus.</typeparam>
    /// <typeparam name="T">The type of the message.</typeparam>
    /// <inheritdoc cref="AddRecurring{T}(IBusRegistrationConfigurator, string, string, T, Action{RecurringOptions}?)"/>
    public static IBusRegistrationConfigurator<TBus> AddRecurring<TBus, T>(
        this IBusRegistrationConfigurator<TBus> configurator,
        string id,
        string cron,
        T message,
        Action<RecurringOptions>? configure = null)
        where TBus : class, IBus
        where T : class
    {
        ArgumentNullException.ThrowIfNull(configurator);
        Add(
            configurator,
            static services => services.GetRequiredService<DependencyInjection.Bind<TBus, IBusRegistrationContext>>().Value,
            id,
            cron,
            message,
            configure);
        return configurator;
    }

    private static void Add<T>(
        IServiceCollection services,
        Func<IServiceProvider, IBusRegistrationContext> contextOf,
        string id,
        string cron,
        T message,
        Action<RecurringOptions>? configure)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(cron);
        ArgumentNullException.ThrowIfNull(message);
        var options = new RecurringOptions();
        configure?.Invoke(options);
        _ = RecurrenceName.Of(options.Group, id);
        _ = CronSlots.Parse(cron, options.TimeZone);
        var schedule = new CodeSchedule(id, cron, options);
        services.AddSingleton(new RecurringRegistration(contextOf, CommandOn));

        ScheduleRecurringMessage CommandOn(IBus bus) => new ScheduleRecurringMessageCommand<T>(schedule, options.Destination ?? AddressOf(bus), message);

        static Uri AddressOf(IBus bus) => bus.Topology.TryGetPublishAddress<T>(out var address)
            ? address!
            : throw new ConfigurationException($"Found no address to publish '{typeof(T)}' to, wanted a type of message, or Destination for a message that is sent.");
    }
}
