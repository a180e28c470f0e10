namespace Retry.Messaging.Configuration;

/// <summary>What is said about a bus as a whole, in code or in appsettings. Null means that nothing is said.</summary>
internal sealed record BusSettings
{
    /// <summary>The shortest consumer timeout that can be set.</summary>
    public static readonly TimeSpan ShortestConsumerTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The longest consumer timeout that can be set: a timer takes no longer.</summary>
    public static readonly TimeSpan LongestConsumerTimeout = TimeSpan.FromDays(30);

    /// <summary>The longest time for which lost messages go on by themselves.</summary>
    public static readonly TimeSpan LongestForwardLostFor = TimeSpan.FromDays(365);

    /// <summary>The longest name of a build, in characters.</summary>
    public const int LongestBuild = 64;

    internal TimeSpan? ConsumerTimeout { get; set; }

    internal string? Management { get; set; }

    internal TimeSpan? ForwardLostFor { get; set; }

    internal string? Build { get; set; }

    /// <summary>These settings over those of a lower layer.</summary>
    internal BusSettings Over(BusSettings lower) => new()
    {
        ConsumerTimeout = ConsumerTimeout ?? lower.ConsumerTimeout,
        Management = Management ?? lower.Management,
        ForwardLostFor = ForwardLostFor ?? lower.ForwardLostFor,
        Build = Build ?? lower.Build,
    };

    /// <summary>Checks each value.</summary>
    /// <param name="path">The path of the section, which a finding's path begins with.</param>
    internal IEnumerable<RetryFinding> Validate(string path)
    {
        if (ConsumerTimeout is { } timeout && (timeout < ShortestConsumerTimeout || timeout > LongestConsumerTimeout))
        {
            yield return new(
                $"{path}:ConsumerTimeout",
                $"found {DurationText.Format(timeout)}, wanted {DurationText.Format(ShortestConsumerTimeout)} to {DurationText.Format(LongestConsumerTimeout)}: the broker's consumer_timeout");
        }

        if (ForwardLostFor is { } period && (period < TimeSpan.Zero || period > LongestForwardLostFor))
        {
            yield return new(
                $"{path}:ForwardLostFor",
                $"found {DurationText.Format(period)}, wanted 0s (never) to {DurationText.Format(LongestForwardLostFor)}");
        }

        if (Build is { } build && (build.Length is 0 or > LongestBuild || build.Any(char.IsControl)))
        {
            yield return new($"{path}:Build", $"found a name of {build.Length} characters or with a line break in it, wanted 1 to {LongestBuild} characters on one line");
        }

        if (Management is { } address
            && (!Uri.TryCreate(address, UriKind.Absolute, out var uri)
                || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps) || uri.UserInfo.Length > 0))
        {
            // the address may contain a password, which no message repeats
            yield return new(
                $"{path}:Management",
                "found no http or https address without a user, wanted http(s)://host:port; it is asked with the bus's user and password");
        }
    }
}
