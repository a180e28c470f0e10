using System.Collections.Concurrent;
using RabbitMQ.Client;
using Retry.Messaging.Configuration;
using Retry.Messaging.Naming;
using Retry.Messaging.RabbitMq.Connections;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Topology;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Controls limiters through the settings in the broker.</summary>
/// <param name="connection">An open connection.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class LimiterControl(IConnection connection, TimeProvider? time = null) : ILimiterControl
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public async Task<LimiterReport> ReadAsync(string point, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(point);
        var names = RetryPointNames.For(point);
        var settings = new LimiterSettings(point);
        var log = await OpenAsync(settings.Read, declare: false, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var nodes = await ReadNodesAsync(point, cancellationToken).ConfigureAwait(false);
        var release = await LookAsync(names.Release, cancellationToken).ConfigureAwait(false);
        var work = await LookAsync(names.Work, cancellationToken).ConfigureAwait(false);
        return new LimiterReport(
            settings.Current,
            release?.MessageCount,
            release?.ConsumerCount ?? 0,
            work?.MessageCount,
            work?.ConsumerCount ?? 0,
            nodes.LastOrDefault(node => node.Active),
            nodes.LastOrDefault(node => !node.Active),
            settings.Code) { Budget = settings.BudgetOver(settings.Code?.Budget) };
    }

    /// <summary>Reads what is set for all points, by point. It writes nothing.</summary>
    /// <exception cref="LimiterException">The settings cannot be read.</exception>
    internal async Task<IReadOnlyDictionary<string, LimiterSettings>> ReadAllAsync(CancellationToken cancellationToken)
    {
        var points = new ConcurrentDictionary<string, LimiterSettings>(StringComparer.Ordinal);
        var log = await OpenAsync(
            record => points.GetOrAdd(record.Key, static key => new LimiterSettings(key)).Read(record),
            declare: false,
            cancellationToken).ConfigureAwait(false);
        await log.DisposeAsync().ConfigureAwait(false);
        return points;
    }

    /// <inheritdoc/>
    public Task<LimiterSetting> SetRateAsync(string point, double perSecond, int? burst, string by, CancellationToken cancellationToken = default)
    {
        if (!(perSecond >= SettingRange.LowestRate && perSecond <= SettingRange.HighestRate))
        {
            throw new ArgumentOutOfRangeException(
                nameof(perSecond),
                perSecond,
                $"Wanted {SettingRange.LowestRate} (one an hour) to {SettingRange.HighestRate} messages per second.");
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
        var settings = new LimiterSettings(point);
        var log = await OpenAsync(settings.Read, declare: true, cancellationToken).ConfigureAwait(false);
        await using var ends = log.ConfigureAwait(false);
        var setting = change(settings.LastReadable) with { Version = settings.NextVersion, By = by, At = _time.GetUtcNow() };
        try
        {
            return await log.AppendAsync(LimiterDocument.Write(setting), cancellationToken).ConfigureAwait(false)
                ? setting
                : throw new LimiterException($"The setting of '{point}' was not written, because another operator changed it at the same time. Run 'retryctl limiter status {point}', then try again.");
        }
        catch (ControlException exception)
        {
            throw new LimiterException($"The setting of '{point}' was not written. {exception.Message}", exception);
        }
    }

    private async Task<ControlLog> OpenAsync(Action<ControlRecord> read, bool declare, CancellationToken cancellationToken)
    {
        try
        {
            return await ControlLog.OpenAsync(
                Stream(BrokerNames.ControlStream, ControlLog.Retention),
                declare,
                read,
                static () => { },
                cancellationToken).ConfigureAwait(false);
        }
        catch (ControlException exception)
        {
            throw new LimiterException($"The settings of operators could not be read. {exception.Message}", exception);
        }
    }

    // for people only: without them the report is shorter
    private async Task<IReadOnlyList<LimiterNode>> ReadNodesAsync(string point, CancellationToken cancellationToken)
    {
        var announcements = new Announcements(Stream(BrokerNames.AnnouncementStream, Announcements.Retention));
        await using var ends = announcements.ConfigureAwait(false);
        try
        {
            var said = await announcements.ReadAsync(cancellationToken).ConfigureAwait(false);
            return [.. said.Where(record => record.Key == point).Select(LimiterDocument.ReadNode).OfType<LimiterNode>()];
        }
        catch (ControlException)
        {
            return [];
        }
    }

    private RecordStream Stream(string name, StreamRetention retention) => new(connection, name, retention, _time);

    private async Task<QueueDeclareOk?> LookAsync(string queue, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        return await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false);
    }
}
