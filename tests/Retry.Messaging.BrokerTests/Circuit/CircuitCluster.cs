using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Retry.Messaging.BrokerTests.MassTransit;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Naming;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Circuit;

/// <summary>Processes that consume one queue and call one target, each with a ledger that outlives it.</summary>
internal sealed class CircuitCluster : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private readonly Uri _address;
    private readonly string _directory = Directory.CreateTempSubdirectory("circuit").FullName;
    private readonly bool _breaker;
    private readonly TimeSpan _interval;
    private readonly CancellationTokenSource _stop = new();
    private Task<int> _sending = Task.FromResult(0);
    private RetryService? _producer;

    public CircuitCluster(Uri address, bool breaker, TimeSpan interval) => (_address, _breaker, _interval) = (address, breaker, interval);

    /// <summary>How long a call takes that is answered.</summary>
    public TimeSpan Work { get; init; }

    /// <summary>How long each retry waits.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How many deliveries may begin in a second; 0 for any number.</summary>
    public double Cap { get; init; }

    public List<Process> Processes { get; } = [];

    /// <summary>Starts processes, and waits until they consume.</summary>
    public async Task StartAsync(int count)
    {
        var started = Enumerable.Range(0, count).Select(_ => TestProcess.Start(TestProcess.CircuitConsumerRole, new Dictionary<string, string>
        {
            [CircuitConsumer.BrokerVariable] = _address.AbsoluteUri,
            [CircuitConsumer.DirectoryVariable] = _directory,
            [CircuitConsumer.BreakerVariable] = _breaker ? "on" : "off",
            [CircuitConsumer.WorkVariable] = Work.TotalMilliseconds.ToString(CultureInfo.InvariantCulture),
            [CircuitConsumer.DelayVariable] = Delay.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            [CircuitConsumer.CapVariable] = Cap.ToString(CultureInfo.InvariantCulture),
            [CircuitConsumer.IntervalVariable] = _interval.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        })).ToList();
        Processes.AddRange(started);
        foreach (var process in started)
        {
            (await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline)).ShouldBe(CircuitConsumer.Ready);
        }
    }

    /// <summary>Ends a process: by a signal that nobody can catch, or as a deployment does.</summary>
    public async Task EndAsync(Process process, bool kill)
    {
        Processes.Remove(process);
        if (kill)
        {
            process.Kill();
        }
        else
        {
            process.StandardInput.Close();
        }

        await process.WaitForExitAsync().WaitAsync(Deadline);
        process.Dispose();
    }

    /// <summary>Finds the process that judges the target, from outside: the broker knows the port of who has its queue, the system whose port it is.</summary>
    public async Task<Process> FindJudgeAsync(PrivateBroker broker)
    {
        Process? judge = null;
        await Eventually.TrueAsync(
            async () => await PortOfJudgeAsync(broker) is { } port
                && (judge = Processes.FirstOrDefault(process => ProcessPorts.Has(process.Id, port))) is not null,
            Deadline);
        return judge!;
    }

    /// <summary>Makes the target ill, or well again; for one process, or for all.</summary>
    public void Make(bool ill, int? process = null)
    {
        var file = Path.Combine(_directory, CircuitConsumer.IllFile + (process is { } id ? $".{id}" : string.Empty));
        if (ill)
        {
            File.WriteAllBytes(file, []);
        }
        else
        {
            File.Delete(file);
        }
    }

    /// <summary>Begins to send.</summary>
    public async Task BeginSendingAsync(double perSecond)
    {
        _producer = await RetryService.StartAsync(_address, static (_, _) => { });
        _sending = SendAsync(_producer, perSecond, _stop.Token);
    }

    /// <summary>Sends some messages.</summary>
    /// <param name="count">How many.</param>
    /// <param name="from">The number of the first.</param>
    public async Task SendAsync(int count, int from = 0)
    {
        await using var producer = await RetryService.StartAsync(_address, static (_, _) => { });
        foreach (var window in Enumerable.Range(from, count).Chunk(200))
        {
            await Task.WhenAll(window.Select(number => producer.Bus.Publish(new CircuitConsumer.Charge(number))));
        }
    }

    /// <summary>Sends no more.</summary>
    /// <returns>How many were sent.</returns>
    public async Task<int> EndSendingAsync()
    {
        await _stop.CancelAsync();
        return await _sending;
    }

    /// <summary>All calls, in order.</summary>
    public IReadOnlyList<Call> Calls() =>
    [
        .. Directory.GetFiles(_directory, CircuitConsumer.Ledger + "*").SelectMany(Read).OrderBy(call => call.At),
    ];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        if (_producer is not null)
        {
            await _producer.DisposeAsync();
        }

        foreach (var process in Processes.ToList())
        {
            await EndAsync(process, kill: true);
        }

        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<int?> PortOfJudgeAsync(PrivateBroker broker)
    {
        // the management API tells of no owner
        var owner = await FindAsync("name", BrokerNames.JudgeQueue("payments"), "owner_pid", "list_queues", "-p", _address.AbsolutePath.Trim('/'), "name", "owner_pid");
        return owner is { } pid ? (await FindAsync("pid", pid.GetString()!, "peer_port", "list_connections", "pid", "peer_port"))?.GetInt32() : null;

        async Task<JsonElement?> FindAsync(string key, string value, string column, params string[] command)
        {
            using var rows = JsonDocument.Parse(await broker.ControlAsync([.. command, "--formatter", "json", "--silent"]));
            return rows.RootElement.EnumerateArray().Where(row => row.GetProperty(key).GetString() == value).Select(row => (JsonElement?)row.GetProperty(column).Clone()).FirstOrDefault();
        }
    }

    // a line that a killed process has not ended is no call
    private static IEnumerable<Call> Read(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var process = int.Parse(Path.GetExtension(file).AsSpan(1), CultureInfo.InvariantCulture);
        var lines = reader.ReadToEnd().Split('\n');
        foreach (var line in lines.SkipLast(1))
        {
            var parts = line.Split(' ');
            yield return new Call(new DateTime(long.Parse(parts[0], CultureInfo.InvariantCulture), DateTimeKind.Utc), process, int.Parse(parts[1], CultureInfo.InvariantCulture), parts[2] == "done", int.Parse(parts[3], CultureInfo.InvariantCulture));
        }
    }

    private static async Task<int> SendAsync(RetryService producer, double perSecond, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var sent = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            while (sent < Stopwatch.GetElapsedTime(began).TotalSeconds * perSecond)
            {
                await producer.Bus.Publish(new CircuitConsumer.Charge(sent++), CancellationToken.None);
            }

            await Simulate.WorkAsync(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }

        return sent;
    }

    /// <summary>One call of the target, by the attempt of a message that it belongs to.</summary>
    public sealed record Call(DateTime At, int Process, int Message, bool IsDone, int Attempt);
}
