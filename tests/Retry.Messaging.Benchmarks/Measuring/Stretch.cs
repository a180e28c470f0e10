using System.Diagnostics;

namespace Retry.Messaging.Benchmarks.Measuring;

/// <summary>The measured part of a round: from its start, time and processor time of this process and of the broker.</summary>
internal sealed class Stretch
{
    private readonly int? _broker;
    private readonly long _startedAt;
    private readonly TimeSpan _client;
    private readonly TimeSpan? _brokerCpu;
    private readonly TimeSpan? _machine;

    private Stretch(int? broker)
    {
        _broker = broker;
        _machine = ProcessorTime.OfMachine();
        _brokerCpu = ProcessorTime.Of(broker);
        _client = Environment.CpuUsage.TotalTime;
        _startedAt = Stopwatch.GetTimestamp();
    }

    /// <summary>Starts one.</summary>
    /// <param name="broker">The broker's process, where it runs on this machine.</param>
    public static Stretch Start(int? broker) => new(broker);

    /// <summary>Ends it.</summary>
    public Sample End(int messages)
    {
        var elapsed = Stopwatch.GetElapsedTime(_startedAt);
        var client = Environment.CpuUsage.TotalTime - _client;
        var brokerCpu = ProcessorTime.Of(_broker) - _brokerCpu;
        var machine = ProcessorTime.OfMachine() - _machine;
        var others = (machine - client - brokerCpu) / (elapsed * Environment.ProcessorCount);
        return new Sample(messages, elapsed, client, brokerCpu, others is { } share ? Math.Max(0, share) : null);
    }
}
