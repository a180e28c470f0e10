using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Controls limiters through the settings in the broker.</summary>
/// <param name="connection">An open connection.</param>
/// <param name="queueNames">How queues are named after a work queue; null for the default.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class LimiterControl(IConnection connection, Func<string, RetryPointNames>? queueNames = null, TimeProvider? time = null) : ILimiterControl
{
    private const string ReaderInstance = "reader";

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public async Task<LimiterReport> ReadAsync(string point, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(point);
        var names = queueNames?.Invoke(point) ?? RetryPointNames.For(point);
        var stream = await SettingsStream.OpenAsync(connection, static () => { }, cancellationToken).ConfigureAwait(false);
        await using var ends = stream.ConfigureAwait(false);
        await ReadToEndAsync(stream, cancellationToken).ConfigureAwait(false);
        var release = await LookAsync(names.Release, cancellationToken).ConfigureAwait(false);
        var work = await LookAsync(names.Work, cancellationToken).ConfigureAwait(false);
        return new LimiterReport(
            stream.SettingOf(point),
            release?.MessageCount,
            release?.ConsumerCount ?? 0,
            work?.MessageCount,
            work?.ConsumerCount ?? 0,
            stream.LastActive(point),
            stream.LastStarted(point));
    }

    /// <inheritdoc/>
    public Task<LimiterSetting> SetRateAsync(string point, double perSecond, int? burst, string by, CancellationToken cancellationToken = default)
    {
        if (!(perSecond >= SettingRange.LowestRate && perSecond <= SettingRange.HighestRate))
        {
            throw new ArgumentOutOfRangeException(nameof(perSecond), perSecond, $"Wanted {SettingRange.LowestRate} (one an hour) to {SettingRange.HighestRate} messages per second.");
        }

        if (burst is < 1 or > SettingRange.LargestBurst)
        {
            throw new ArgumentOutOfRangeException(nameof(burst), burst, $"Wanted 1 to {SettingRange.LargestBurst} messages.");
        }

        return ChangeAsync(point, by, setting => setting with { PerSecond = perSecond, Burst = burst }, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<LimiterSetting> PauseAsync(string point, string by, CancellationToken cancellationToken = default) =>
        ChangeAsync(point, by, static setting => setting with { Paused = true }, cancellationToken);

    /// <inheritdoc/>
    public Task<LimiterSetting> ResumeAsync(string point, string by, CancellationToken cancellationToken = default) =>
        ChangeAsync(point, by, static setting => setting with { Paused = false }, cancellationToken);

    /// <inheritdoc/>
    public Task<LimiterSetting> ClearAsync(string point, string by, CancellationToken cancellationToken = default) =>
        ChangeAsync(point, by, static setting => new LimiterSetting { Point = setting.Point, Version = setting.Version }, cancellationToken);

    private async Task<LimiterSetting> ChangeAsync(string point, string by, Func<LimiterSetting, LimiterSetting> change, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(point);
        var stream = await SettingsStream.OpenAsync(connection, static () => { }, cancellationToken).ConfigureAwait(false);
        await using var ends = stream.ConfigureAwait(false);
        await ReadToEndAsync(stream, cancellationToken).ConfigureAwait(false);
        var before = stream.LastReadable(point);
        var setting = change(before) with { Version = before.Version + 1, By = by, At = _time.GetUtcNow() };
        return await stream.WriteAsync(setting, cancellationToken).ConfigureAwait(false)
            ? setting
            : throw new LimiterException($"Somebody else changed the setting of '{point}' at the same time, and was first. Look at it ('retryctl limiter status') and try again.");
    }

    private Task ReadToEndAsync(SettingsStream stream, CancellationToken cancellationToken) =>
        stream.WriteAsync(new LimiterNode(string.Empty, ReaderInstance, Active: false, CodeLimit: null, _time.GetUtcNow()), cancellationToken);

    private async Task<QueueDeclareOk?> LookAsync(string queue, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var ends = channel.ConfigureAwait(false);
        try
        {
            return await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }
}
