using System.Reflection;
using Microsoft.Extensions.Time.Testing;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Control;

public class StreamConsumerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();
    private readonly AcknowledgedChannel _channel = AcknowledgedChannel.Create();
    private readonly StreamConsumer _consumer;

    public StreamConsumerTests() => _consumer = new StreamConsumer(_channel.Client, static _ => { }, static () => Task.CompletedTask, _time);

    [Fact]
    public async Task What_no_other_record_follows_is_acknowledged_within_a_second()
    {
        await StartAsync(prefetch: 1000);
        await DeliverAsync(1);
        await DeliverAsync(2);
        _channel.Acknowledged.ShouldBeEmpty();

        _time.Advance(StreamConsumer.Latest);
        await Eventually.TrueAsync(() => _channel.Acknowledged.Count == 1, Deadline);
        await DeliverAsync(3);
        _time.Advance(StreamConsumer.Latest);

        await Eventually.TrueAsync(() => _channel.Acknowledged.Count == 2, Deadline);
        _channel.Acknowledged.ShouldBe([2, 3]);
    }

    [Fact]
    public async Task Of_many_records_one_in_a_quarter_of_the_credit_is_acknowledged()
    {
        await StartAsync(prefetch: 40);

        for (var tag = 1UL; tag <= 25; tag++)
        {
            await DeliverAsync(tag);
        }

        _channel.Acknowledged.ShouldBe([10, 20]);
    }

    [Fact]
    public async Task Nothing_is_acknowledged_after_the_end()
    {
        await StartAsync(prefetch: 1000);
        await DeliverAsync(1);
        var stopping = _consumer.StopAsync(Deadline, CancellationToken.None);

        _time.Advance(StreamConsumer.Latest);
        await _consumer.HandleBasicCancelOkAsync("tag");
        await stopping.WaitAsync(Deadline);

        await DeliverAsync(2);
        _channel.Acknowledged.ShouldBeEmpty();
    }

    /// <summary>A client whose writing loop has died never ends an acknowledgement, and whoever reads has to go on with another connection.</summary>
    [Fact]
    public async Task An_acknowledgement_that_cannot_be_written_does_not_hold_up_the_end()
    {
        await StartAsync(prefetch: 4);
        _channel.Writing = new TaskCompletionSource().Task;
        var delivering = DeliverAsync(1);

        var stopping = _consumer.StopAsync(TimeSpan.FromSeconds(2), CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(2));

        await Should.ThrowAsync<TimeoutException>(() => stopping.WaitAsync(Deadline));
        delivering.IsCompleted.ShouldBeFalse();
    }

    private Task StartAsync(ushort prefetch) => _consumer.StartAsync("stream", "first", prefetch, CancellationToken.None);

    private Task DeliverAsync(ulong tag) => _consumer.HandleBasicDeliverAsync("tag", tag, redelivered: false, string.Empty, "stream", new BasicProperties(), ReadOnlyMemory<byte>.Empty);

    /// <summary>A channel that notes what is acknowledged.</summary>
    public class AcknowledgedChannel : DispatchProxy
    {
        public IChannel Client => (IChannel)(object)this;

        public List<ulong> Acknowledged { get; } = [];

        /// <summary>Ends when an acknowledgement has been written.</summary>
        public Task Writing { get; set; } = Task.CompletedTask;

        public static AcknowledgedChannel Create() => (AcknowledgedChannel)(object)Create<IChannel, AcknowledgedChannel>();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            switch (targetMethod!.Name)
            {
                case "get_IsOpen":
                    return true;

                case nameof(IChannel.BasicConsumeAsync):
                    return Task.FromResult("tag");

                case nameof(IChannel.BasicAckAsync):
                    Acknowledged.Add((ulong)args![0]!);
                    return new ValueTask(Writing);

                default:
                    return Task.CompletedTask;
            }
        }
    }
}
