using BenchmarkDotNet.Attributes;
using RabbitMQ.Client;
using Retry.Messaging.Benchmarks.Service;
using Retry.Messaging.Configuration;
using Retry.Messaging.Decisions;
using Retry.Messaging.Ladder;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Benchmarks.Cases;

/// <summary>The steps of one failure that need no broker. BenchmarkDotNet wants it public and open.</summary>
public class FailureSteps
{
    private const string Queue = "orders";
    private const uint FrameMax = 131_072;

    private readonly RetryRules _rules = RetryRules.Create(retry => retry.Exponential(TimeSpan.FromSeconds(5), 3, TimeSpan.FromHours(1)).Retries(8));
    private readonly Random _random = new(1);
    private readonly DateTimeOffset _now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly BasicProperties _original = ParcelBody.Properties(1);
    private readonly BasicProperties _republished;
    private readonly RetryState _first;
    private readonly RetryState _third;
    private readonly FailedAttempt _failure;

    /// <summary>Makes a message at its first attempt and one at its third.</summary>
    public FailureSteps()
    {
        _failure = new FailedAttempt(Thrown(), Environment.MachineName) { FallbackId = _original.MessageId! };
        _first = RetryState.Fresh with { Kept = Republication.Keep(_original, "shop", "order", null) };
        var second = ((RetryDecision.Again)RetryDecider.Decide(_first, _failure, _rules, _now, _random)).State;
        _third = ((RetryDecision.Again)RetryDecider.Decide(second, _failure, _rules, _now, _random)).State;
        _republished = Republication.Climbing(_original, _third, Queue);
    }

    /// <summary>What to do after the first attempt.</summary>
    [Benchmark(Description = "decision, first attempt")]
    public object Decide() => RetryDecider.Decide(_first, _failure, _rules, _now, _random);

    /// <summary>The properties of the copy.</summary>
    [Benchmark(Description = "headers, first attempt")]
    public object Headers() => Republication.Climbing(_original, _third, Queue);

    /// <summary>Both, after the first attempt: what the target is about.</summary>
    [Benchmark(Description = DecisionAndHeaders)]
    public object DecideAndWrite() => Republication.Climbing(_original, ((RetryDecision.Again)RetryDecider.Decide(_first, _failure, _rules, _now, _random)).State, Queue);

    /// <summary>Both, after the third attempt, whose history is read from the headers it came with.</summary>
    [Benchmark(Description = "reading, decision + headers, third attempt")]
    public object ReadDecideAndWrite()
    {
        var state = RetryHeaderReader.Read(_republished.Headers, Queue);
        return Republication.Climbing(_republished, ((RetryDecision.Again)RetryDecider.Decide(state, _failure, _rules, _now, _random)).State, Queue);
    }

    /// <summary>Whether it fits into a frame.</summary>
    [Benchmark(Description = "size of the header frame")]
    public object Fit() => HeaderFrame.Fit(_republished, FrameMax);

    /// <summary>The routing key.</summary>
    [Benchmark(Description = "routing key")]
    public object Route() => DelayLadder.Route(_rules.Policy.Schedule.Cap ?? TimeSpan.Zero, Queue);

    internal const string DecisionAndHeaders = "decision + headers, first attempt";

    private static ParcelFailedException Thrown()
    {
        try
        {
            throw new ParcelFailedException();
        }
        catch (ParcelFailedException exception)
        {
            return exception;
        }
    }
}
