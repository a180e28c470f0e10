using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Parking;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Naming;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Rules;

/// <summary>A parking lot with a rule, as an operator sets it and looks at it.</summary>
internal sealed class RuleLot(RawLot lot) : IAsyncDisposable
{
    public const string Name = "nightly";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    public RawLot Raw => lot;

    public static async Task<RuleLot> CreateAsync(BrokerFixture broker) => new(await RawLot.CreateAsync(broker));

    /// <summary>A cron expression with one slot within a year: a moment from now.</summary>
    public static (string Cron, DateTimeOffset Slot) SlotIn(TimeSpan time)
    {
        var slot = DateTimeOffset.UtcNow + time;
        slot = new DateTimeOffset(slot.Ticks - (slot.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
        return ($"{slot.Second} {slot.Minute} {slot.Hour} {slot.Day} {slot.Month} *", slot);
    }

    /// <summary>Runs retryctl with arguments that may have blanks.</summary>
    public async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var host = new CliHost { Out = output, Error = error, Variable = name => name == "RETRY_BROKER" ? lot.Address.AbsoluteUri : null };
        return (await RetryCtl.InvokeAsync(args, host), output.ToString(), error.ToString());
    }

    /// <summary>Sets the rule; whether a service carries it out is not asked.</summary>
    public async Task SetAsync(params string[] options)
    {
        var (exitCode, _, error) = await RunAsync(["rules", "set", RawLot.Work, Name, .. options]);
        exitCode.ShouldBeOneOf([ExitCode.Done, ExitCode.Finding], error);
    }

    /// <summary>The rule as it is now.</summary>
    public async Task<JsonElement> ShowAsync() => JsonDocument.Parse((await RunAsync("rules", "show", RawLot.Work, Name, "--json")).Output).RootElement;

    /// <summary>Its runs, the last first.</summary>
    public async Task<IReadOnlyList<JsonElement>> RunsAsync() => [.. (await ShowAsync()).GetProperty("runs").EnumerateArray()];

    /// <summary>Waits until its runs are as wanted.</summary>
    public async Task<IReadOnlyList<JsonElement>> WaitForRunsAsync(Func<IReadOnlyList<JsonElement>, bool> wanted)
    {
        IReadOnlyList<JsonElement> runs = [];
        await Eventually.TrueAsync(async () => wanted(runs = await RunsAsync()), Deadline, () => string.Join('\n', runs));
        return runs;
    }

    public static string StateOf(JsonElement run) => run.GetProperty("state").GetString()!;

    public static string PlanOf(JsonElement run) => run.GetProperty("plan").GetString()!;

    /// <summary>Consumes from the work queue, and fails: each message is parked again, with what it says of its replays.</summary>
    /// <returns>The ids of what came, in order.</returns>
    public async Task<IReadOnlyList<string>> FailAllAsync()
    {
        var came = new List<string>();
        foreach (var message in await lot.DrainAsync(RawLot.Work))
        {
            came.Add(message.BasicProperties.MessageId!);
            await lot.Channel.BasicPublishAsync(BrokerNames.ParkingExchange, RawLot.Work, mandatory: true, new BasicProperties(message.BasicProperties), message.Body);
        }

        return came;
    }

    /// <summary>Consumes and fails until so many runs in a row have found nothing to replay.</summary>
    /// <returns>The runs, and the ids of what came.</returns>
    public async Task<(IReadOnlyList<JsonElement> Runs, IReadOnlyList<string> Came)> FailUntilNothingIsLeftAsync(int runs)
    {
        var (came, found) = (new List<string>(), (IReadOnlyList<JsonElement>)[]);
        await Eventually.TrueAsync(
            async () =>
            {
                came.AddRange(await FailAllAsync());
                found = await RunsAsync();
                return came.Count > 0 && found.SkipWhile(run => StateOf(run) == "Claimed").TakeWhile(run => StateOf(run) == "Nothing").Count() >= runs;
            },
            Deadline,
            () => string.Join('\n', found));
        return (found, came);
    }

    public ValueTask DisposeAsync() => lot.DisposeAsync();
}
