using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.Cli.Commands.Parked;

/// <summary>How messages are moved: asked or not, how fast, and whether those are taken, too, that may have been sent.</summary>
internal sealed class MoveOptions
{
    private readonly Option<bool> _yes;
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only count what would be done." };
    private readonly Option<double?> _rate = Rate();
    private readonly Option<bool> _detach = Detach();
    private readonly Option<bool> _doubtful = new("--may-have-been-sent") { Description = "Also those messages that a cancelled plan may have sent." };

    public MoveOptions(Command command, bool asksEvenForIds, bool mayDetach)
    {
        _yes = new("--yes") { Description = asksEvenForIds ? "Do not ask." : "Do not ask. Where ids are given, retryctl never asks." };
        foreach (var option in (Option[])[_yes, _dryRun, _rate, _doubtful])
        {
            command.Options.Add(option);
        }

        if (mayDetach)
        {
            command.Options.Add(_detach);
        }
    }

    /// <summary>The option of a rate.</summary>
    public static Option<double?> Rate() => new("--rate") { Description = "Move at most so many messages in a second. A limiter of the point holds beside it.", HelpName = "PER_SECOND" };

    /// <summary>The option to leave it to a service.</summary>
    public static Option<bool> Detach() => new("--detach") { Description = "Only write it down: a service with AddRetryOperations carries it out, and goes on after a restart." };

    /// <summary>The rate that was given.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static double? RateOf(double? rate) => rate is null || (rate >= SettingRange.LowestRate && rate <= SettingRange.HighestRate)
        ? rate
        : throw new UsageException(FormattableString.Invariant($"--rate: found {rate}, wanted 0.000278 (one an hour) to {SettingRange.HighestRate:0} messages per second."));

    /// <summary>What was given.</summary>
    /// <exception cref="UsageException">It makes no sense.</exception>
    public Given Of(ParseResult parsed) => new(
        parsed.GetValue(_yes),
        parsed.GetValue(_dryRun),
        RateOf(parsed.GetValue(_rate)),
        parsed.GetValue(_doubtful),
        parsed.GetValue(_detach));

    /// <summary>What was given.</summary>
    internal sealed record Given(bool Yes, bool DryRun, double? PerSecond, bool MayHaveBeenSent, bool Detach);
}
