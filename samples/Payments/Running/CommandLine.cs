using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Payments.Audit;
using Payments.Service;
using Payments.Shop;
using RabbitMQ.Client.Exceptions;

namespace Payments.Running;

/// <summary>What can be typed.</summary>
internal static class CommandLine
{
    public const string FolderOption = "--folder";
    public const string PaymentsOption = "--payments";
    public const string SecondsOption = "--seconds";
    public const string KeepOption = "--keep";
    public const string PlainOption = "--plain";
    public const string EndWithParentOption = "--end-with-parent";

    private static readonly Option<string> Folder = new(FolderOption)
    {
        Description = "Where the ledger files are.",
        DefaultValueFactory = _ => Environment.CurrentDirectory,
    };

    private static readonly Option<int> Payments = new(PaymentsOption)
    {
        Description = "How many payments; for a single role, 0 means no end.",
        DefaultValueFactory = _ => 600,
        CustomParser = result => Read<int>(result, payments => payments >= 0, "0 or more"),
    };

    private static readonly Option<double> Seconds = new(SecondsOption)
    {
        Description = "How long the shop takes for them.",
        DefaultValueFactory = _ => 25,
        CustomParser = result => Read<double>(result, seconds => seconds is > 0 and <= 3600, "more than 0 and at most 3600"),
    };

    private static readonly Option<bool> Keep = new(KeepOption) { Description = "Keep the broker after the end, to look into it, until Enter or Ctrl-C." };

    private static readonly Option<bool> Plain = new(PlainOption) { Description = "Lines instead of the picture that a terminal shows." };

    private static readonly Option<bool> EndWithParent = new(EndWithParentOption) { Description = "End when standard input ends.", Hidden = true };

    private static readonly Option<string?> Sabotage = new("--sabotage") { Description = "drop: take one message off the ladder behind everybody's back." };

    public static async Task<int> RunAsync(string[] args)
    {
        Sabotage.AcceptOnlyFromAmong(Saboteur.Drop);

        var root = new RootCommand("A shop's payment service against an unreliable gateway. Start with: demo")
        {
            Command("demo", "Starts a broker of its own and all three roles, and balances the books.", [Payments, Seconds, Sabotage, Keep, Plain], Demo.RunAsync),
            Command("all", $"Runs all three roles against the broker in {Run.BrokerVariable} until it is stopped.", [Folder], Endless.RunAsync),
            Command(Roles.Producer, "The shop: publishes charges.", [Folder, Payments, Seconds, EndWithParent], NoResult(ChargeProducer.RunAsync)),
            Command(Roles.Consumer, "The payment service: calls the gateway.", [Folder, Payments, Seconds, EndWithParent], NoResult(PaymentService.RunAsync)),
            Command(Roles.Auditor, "Balances the books, from the ledger files and the queues.", [Folder, Payments, Seconds, Keep, Plain, EndWithParent], Auditor.RunAsync),
        };
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static Command Command(string name, string description, IEnumerable<Option> options, Func<Run, RunOptions, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        bool Has(Option option) => command.Options.Contains(option);
        command.SetAction(async parsed =>
        {
            using var stop = new StopRequest();
            if (Has(EndWithParent) && parsed.GetValue(EndWithParent))
            {
                stop.WhenInputEnds();
            }

            var shared = new Run(
                Has(Folder) ? Path.GetFullPath(parsed.GetValue(Folder)!) : string.Empty,
                Has(Payments) ? parsed.GetValue(Payments) : 0,
                TimeSpan.FromSeconds(Has(Seconds) ? parsed.GetValue(Seconds) : Endless.SecondsBetweenOutages));
            var options = new RunOptions(Has(Keep) && parsed.GetValue(Keep), Has(Sabotage) && parsed.GetValue(Sabotage) is not null, Has(Plain) && parsed.GetValue(Plain));
            try
            {
                return await run(shared, options, stop.Token);
            }
            catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
            {
                return ExitCodes.Interrupted;
            }
            catch (Exception exception) when (exception is SampleException or RabbitMQClientException)
            {
                await Console.Error.WriteLineAsync(exception.Message);
                return ExitCodes.CouldNotRun;
            }
        });
        return command;
    }

    private static Func<Run, RunOptions, CancellationToken, Task<int>> NoResult(Func<Run, CancellationToken, Task> run) => async (shared, _, cancellationToken) =>
    {
        await run(shared, cancellationToken);
        return ExitCodes.AllAccountedFor;
    };

    private static T Read<T>(ArgumentResult result, Func<T, bool> isGood, string wanted)
        where T : struct, IParsable<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var value) && isGood(value))
        {
            return value;
        }

        result.AddError($"Found '{text}' for {result.Argument.Name}, wanted {wanted}.");
        return default;
    }
}
