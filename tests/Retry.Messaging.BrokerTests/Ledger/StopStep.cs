using System.Globalization;
using MassTransit;
using Retry.Messaging.BrokerTests.Processes;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>Stops its process before the step that it is told, and says which that is. A step is a statement, or one side of a send.</summary>
internal sealed class StopStep : ISendObserver
{
    /// <summary>The number of the step, from 1; none where it is not set.</summary>
    public const string Variable = "LEDGER_CONSUMER_STOPS_BEFORE";

    private static readonly Lock One = new();

    private readonly int? _step = int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    private int _steps;
    private volatile bool _begun;

    /// <summary>Has the statements of this process be steps; called before any connection is opened.</summary>
    /// <returns>How to connect to the database.</returns>
    public string Watch(string database, string connectionString)
    {
        if (_step is null)
        {
            return connectionString;
        }

        if (database == Books.PostgreSql)
        {
            return PostgreSqlStatements.Begin(connectionString, Reach);
        }

        SqliteStatements.Begin(Reach);
        return connectionString;
    }

    /// <summary>Begins to count: what runs at the start is no step.</summary>
    public void Begin(IBus bus)
    {
        if (_step is not null)
        {
            bus.ConnectSendObserver(this);
            _begun = true;
        }
    }

    public Task PreSend<T>(SendContext<T> context)
        where T : class
    {
        Reach("send " + context.DestinationAddress);
        return Task.CompletedTask;
    }

    public Task PostSend<T>(SendContext<T> context)
        where T : class
    {
        Reach("sent " + context.DestinationAddress);
        return Task.CompletedTask;
    }

    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class => Task.CompletedTask;

    private void Reach(string what)
    {
        lock (One)
        {
            if (_begun && ++_steps == _step)
            {
                Console.WriteLine($"{_steps}: {what.ReplaceLineEndings(" ")}");
                Signals.Send(Environment.ProcessId, Signals.Stop);
            }
        }
    }
}
