using Payments.Audit;
using Retry.Messaging.Testing;
using Retry.Messaging.Testing.Containers;

namespace Payments.Running;

/// <summary>The whole story in a minute: a broker of our own, a shop, a payment service, and somebody who does not believe them.</summary>
internal static class Demo
{
    public static async Task<int> RunAsync(Run run, RunOptions options, CancellationToken cancellationToken)
    {
        if (run.IsEndless)
        {
            throw new SampleException($"The demo has an end: found {CommandLine.PaymentsOption} 0, wanted 1 or more. Run 'all' for payments without an end.");
        }

        run = run with { Folder = Directory.CreateTempSubdirectory("payments-").FullName };
        var keepFiles = true;
        try
        {
            Console.WriteLine("Starting a RabbitMQ of our own ...");
            await using var broker = await StartBrokerAsync(options, cancellationToken);
            Console.WriteLine($"RabbitMQ {broker.Version} on {broker.Host}:{broker.Port}. {run.Payments} payments in {run.Length.TotalSeconds:0.#} s; the gateway is down from second {run.Outage.Start.TotalSeconds:0.#} to {(run.Outage.Start + run.Outage.Length).TotalSeconds:0.#}.");

            int verdict;
            await using (var roles = RoleProcesses.Start(run, broker.AmqpUri, options, logsToFiles: true))
            {
                var judged = roles.WaitForVerdictAsync(cancellationToken);
                if (options.Sabotage)
                {
                    await Task.WhenAny(judged, Saboteur.DropOneAsync(broker.AmqpUri, cancellationToken));
                }

                verdict = await judged;
                if (options.Keep)
                {
                    Console.WriteLine($"For 'retryctl points' and 'topology verify': export RETRY_MANAGEMENT={broker.ManagementUri}");
                    await WaitForEnterAsync(cancellationToken);
                }
            }

            keepFiles = options.Keep || verdict != ExitCodes.AllAccountedFor;
            return verdict;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            keepFiles = false;
            throw;
        }
        finally
        {
            if (!keepFiles)
            {
                Directory.Delete(run.Folder, recursive: true);
            }
        }
    }

    // until Enter or Ctrl-C; an input that has ended, as a script's, is no Enter
    private static async Task WaitForEnterAsync(CancellationToken cancellationToken)
    {
        var line = Task.Run(Console.ReadLine, CancellationToken.None);
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        if (await Task.WhenAny(line, stopped) == line && await line is null)
        {
            await Task.WhenAny(stopped);
        }
    }

    private static async Task<PrivateBroker> StartBrokerAsync(RunOptions options, CancellationToken cancellationToken)
    {
        try
        {
            // kept, its address is shown with the password: not that of a broker which somebody else gave us
            return await PrivateBroker.StartAsync(new PrivateBrokerOptions { OwnNode = options.Keep, Sources = { new RabbitMqContainerSource() } }, cancellationToken);
        }
        catch (BrokerUnavailableException exception)
        {
            throw new SampleException(exception.Message);
        }
    }
}
