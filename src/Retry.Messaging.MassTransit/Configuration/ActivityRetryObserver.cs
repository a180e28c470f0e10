using MassTransit;
using Retry.Messaging.MassTransit.Filters;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Puts <see cref="ActivityRetryFilter{TArguments}"/> on the activities that an endpoint executes.</summary>
/// <remarks>Compensations are left as they are: their host decides itself what becomes of an exception.</remarks>
internal sealed class ActivityRetryObserver(Action<Type> compensationFound) : IActivityConfigurationObserver
{
    public void ActivityConfigured<TActivity, TArguments>(IExecuteActivityConfigurator<TActivity, TArguments> configurator, Uri compensateAddress)
        where TActivity : class, IExecuteActivity<TArguments>
        where TArguments : class => Add(configurator);

    public void ExecuteActivityConfigured<TActivity, TArguments>(IExecuteActivityConfigurator<TActivity, TArguments> configurator)
        where TActivity : class, IExecuteActivity<TArguments>
        where TArguments : class => Add(configurator);

    public void CompensateActivityConfigured<TActivity, TLog>(ICompensateActivityConfigurator<TActivity, TLog> configurator)
        where TActivity : class, ICompensateActivity<TLog>
        where TLog : class => compensationFound(typeof(TActivity));

    private static void Add<TActivity, TArguments>(IExecuteActivityConfigurator<TActivity, TArguments> configurator)
        where TActivity : class, IExecuteActivity<TArguments>
        where TArguments : class =>
        configurator.Arguments(arguments => arguments.AddPipeSpecification(
            new LateFilterSpecification<ExecuteContext<TArguments>>(static () => new ActivityRetryFilter<TArguments>())));
}
