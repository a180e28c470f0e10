using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.RabbitMq.Health;
using Retry.Messaging.RabbitMq.Holding;
using Retry.Messaging.RabbitMq.Telemetry;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Publishing;

/// <summary>Holds an outcome that the broker does not take: tries again with growing pauses, says so, and gives up in time.</summary>
internal sealed partial class OutcomeHold(TimeProvider time, Random random, ILogger logger)
{
    /// <summary>The pause before the second try.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause between two tries.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>The shortest time between two lines of the log about held outcomes.</summary>
    public static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly OncePer _line = new(BetweenLines, time);
    private int _held;

    /// <summary>How many outcomes wait for a confirm after their first try failed.</summary>
    public int Count => Volatile.Read(ref _held);

    /// <summary>Repeats a step with growing pauses until it succeeds.</summary>
    /// <param name="point">The point whose outcome it is.</param>
    /// <param name="hold">How long the delivery may be held.</param>
    /// <param name="stillOurs">Whether the delivery can still be acknowledged; when not, the broker delivers it again.</param>
    /// <param name="worthAnotherTry">Which exceptions mean that the broker did not take it this time.</param>
    /// <param name="step">The step, told what to note when it waits.</param>
    /// <param name="cancellationToken">Cancelled when the delivery is lost or the host stops.</param>
    /// <exception cref="OutcomeNotConfirmedException">Held for too long, or the connection is gone: the delivery must go back.</exception>
    public async Task RepeatAsync(
        PointTelemetry point,
        DeliveryHold hold,
        Func<bool> stillOurs,
        Func<Exception, bool> worthAnotherTry,
        Func<HeldOutcome, Task> step,
        CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        var all = point.Health.Held;
        using var held = all.Begin();
        try
        {
            while (true)
            {
                try
                {
                    await step(held).ConfigureAwait(false);
                    return;
                }
                catch (Exception exception) when (worthAnotherTry(exception))
                {
                    if (!stillOurs())
                    {
                        throw new OutcomeNotConfirmedException("The connection was lost; the broker delivers the message again.", exception);
                    }

                    var left = hold.Left(time);
                    if (left <= TimeSpan.Zero)
                    {
                        throw new OutcomeNotConfirmedException(
                            $"Held for {DurationText.Format(hold.Time.Limit)} without a confirm; the delivery goes back before the broker's consumer timeout takes it.",
                            exception) { WasHeldTooLong = true };
                    }

                    Note(held, Refusal(exception));
                    if (!await PauseAsync(pause, left, all.Stopping, cancellationToken).ConfigureAwait(false))
                    {
                        throw new OutcomeNotConfirmedException(
                            "The endpoint stops; the delivery goes back, and its attempt is repeated under the same number.",
                            exception) { EndpointStops = true };
                    }
                }

                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
        finally
        {
            if (held.Reason is not null)
            {
                Interlocked.Decrement(ref _held);
            }
        }
    }

    /// <summary>Notes why an outcome is held. Each of thousands of deliveries may be held for minutes: one line a minute tells it all.</summary>
    public void Note(HeldOutcome held, string reason)
    {
        if (held.Because(reason))
        {
            Interlocked.Increment(ref _held);
        }

        if (_line.IsTime())
        {
            LogHeldOutcomes(Count, AsSentence(reason));
        }
    }

    /// <summary>An exception as a reason. What is no answer of the broker is a defect, of ours or of a library's, and its type helps to find it.</summary>
    public static string Refusal(Exception exception) =>
        exception is PublishRefusedException or TopologyException or OperationInterruptedException or IOException or TimeoutException
        ? exception.Message
        : $"{exception.GetType().Name}: {exception.Message}";

    /// <summary>A reason with a full stop at its end: RabbitMQ.Client's messages have none.</summary>
    public static string AsSentence(string reason) => reason.EndsWith('.') ? reason : reason + ".";

    // whether there is time for another try; not when the endpoint stops
    private async Task<bool> PauseAsync(TimeSpan pause, TimeSpan atMost, Task stopping, CancellationToken cancellationToken)
    {
        var drawn = random.Around(pause);
        try
        {
            await stopping.WaitAsync(drawn < atMost ? drawn : atMost, time, cancellationToken).ConfigureAwait(false);
            return false;
        }
        catch (TimeoutException)
        {
            return true;
        }
    }

    [LoggerMessage(LogEvents.OutcomesHeld, LogLevel.Warning, "Unconfirmed outcomes are held: {Held}. {Reason} They are tried again every 1 to 30 seconds; nothing is lost, and no consumer runs twice unless its service is stopped meanwhile, or it lasts longer than the broker lets a delivery be held.")]
    private partial void LogHeldOutcomes(int held, string reason);
}
