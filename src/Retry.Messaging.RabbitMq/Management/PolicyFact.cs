using System.Text.RegularExpressions;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>A policy as it is.</summary>
internal sealed record PolicyFact(string Name, string Pattern, string ApplyTo, int Priority, IReadOnlyDictionary<string, object?> Definition)
{
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Whether the pattern and the kind of queue fit. Where our expressions cannot read the pattern, it is taken to fit: better
    /// one finding too many.</summary>
    /// <param name="queue">The queue.</param>
    public bool AppliesTo(QueueFact queue)
    {
        if (ApplyTo is not ("all" or "queues") && ApplyTo != queue.Type + "_queues")
        {
            return false;
        }

        try
        {
            return Regex.IsMatch(queue.Name, Pattern, RegexOptions.CultureInvariant, PatternTimeout);
        }
        catch (Exception exception) when (exception is ArgumentException or RegexMatchTimeoutException)
        {
            return true;
        }
    }
}
