using System.CommandLine;
using System.Globalization;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Limiter;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary>Changes a setting and says what holds now.</summary>
internal static class LimiterSettingAnswer
{
    public static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        string point,
        Func<LimiterControl, Task<LimiterSetting>> change,
        CancellationToken cancellationToken)
    {
        var connection = await GlobalOptions.ConnectAsync(parsed, host, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var control = new LimiterControl(connection, time: host.Time);
        var before = await LimiterCommand.ReadAsync(control, point, cancellationToken).ConfigureAwait(false);
        LimiterSetting setting;
        try
        {
            setting = await change(control).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return RetryCtl.Fail(host, ExitCode.Failed, $"Interrupted. The setting may have been written by then. Run 'retryctl limiter status {point}' to see it.");
        }

        if (before.Waiting is null)
        {
            // set in advance, it keeps the first start of the limit from releasing at the code's rate
            host.Error.WriteLine($"{RetryCtl.Name}: warning: found no release queue for '{point}', so its redeliveries have no limit now. The setting holds as soon as its service has LimitRedelivery.");
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, setting);
        }
        else
        {
            host.Out.WriteLine($"{setting.Point}: {Describe(setting)}. Every limiter follows within two seconds.");
        }

        return ExitCode.Done;
    }

    public static string Describe(LimiterSetting setting)
    {
        var rate = setting.PerSecond is { } perSecond
            ? $"{Rate(perSecond)}{(setting.Burst is { } burst ? $", burst {burst}" : string.Empty)}, set by an operator"
            : "the rate that the code sets";
        return setting.Paused ? $"paused; after 'resume': {rate}" : rate;
    }

    /// <summary>A rate in a unit that makes it readable.</summary>
    public static string Rate(double perSecond) => perSecond switch
    {
        >= 1 => perSecond.ToString("0.###", CultureInfo.InvariantCulture) + "/s",
        >= 1.0 / 60 => (perSecond * 60).ToString("0.###", CultureInfo.InvariantCulture) + "/min",
        _ => (perSecond * 3600).ToString("0.###", CultureInfo.InvariantCulture) + "/h",
    };
}
