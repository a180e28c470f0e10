namespace Retry.Messaging.Configuration;

/// <summary>How many messages may come back for those that succeed, over all instances of a point together.</summary>
/// <param name="Share">Redeliveries for each attempt that succeeds; 0 to 10, and 0.2 for one in five.</param>
/// <param name="FloorPerSecond">Redeliveries per second that are allowed however few succeed; 1/3600 (one an hour) or more.</param>
public sealed record RetryBudget(double Share, double FloorPerSecond)
{
    /// <summary>Returns it in words.</summary>
    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{100 * Share:0.##} % of successes, at least {FloorPerSecond:0.######}/s");
}
