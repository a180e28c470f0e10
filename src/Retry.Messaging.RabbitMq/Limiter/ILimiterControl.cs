namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Rate, pause and resume of the limiters of a virtual host, while they run.</summary>
/// <remarks>
/// What is set holds within two seconds on whichever instance is the active one, over restarts of everything, and wins over
/// the code's settings until it is cleared.
/// </remarks>
public interface ILimiterControl
{
    /// <summary>Reads what is set, and looks at the queues.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">The settings cannot be read.</exception>
    Task<LimiterReport> ReadAsync(string point, CancellationToken cancellationToken = default);

    /// <summary>Sets the rate.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="perSecond">Messages per second, from one an hour (1/3600).</param>
    /// <param name="burst">How many may go at once after a pause; null for what the code says.</param>
    /// <param name="by">Who sets it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">It cannot be written, or somebody else changed the setting at the same time.</exception>
    Task<LimiterSetting> SetRateAsync(string point, double perSecond, int? burst, string by, CancellationToken cancellationToken = default);

    /// <summary>Stops the releases until <see cref="ResumeAsync"/>.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="by">Who pauses it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">It cannot be written, or somebody else changed the setting at the same time.</exception>
    Task<LimiterSetting> PauseAsync(string point, string by, CancellationToken cancellationToken = default);

    /// <summary>Ends a pause.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="by">Who resumes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">It cannot be written, or somebody else changed the setting at the same time.</exception>
    Task<LimiterSetting> ResumeAsync(string point, string by, CancellationToken cancellationToken = default);

    /// <summary>Takes back what was set, pause included: the code's settings hold again.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="by">Who clears it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LimiterException">It cannot be written, or somebody else changed the setting at the same time.</exception>
    Task<LimiterSetting> ClearAsync(string point, string by, CancellationToken cancellationToken = default);
}
