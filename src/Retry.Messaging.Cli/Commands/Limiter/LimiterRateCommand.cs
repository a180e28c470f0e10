using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Configuration;

namespace Retry.Messaging.Cli.Commands.Limiter;

/// <summary><c>limiter rate QUEUE PER_SECOND</c>: sets the rate, or gives it back to the code.</summary>
internal static class LimiterRateCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("rate", "Sets how many messages per second are redelivered to a point, for all instances of its service together.");
        var queue = LimiterCommand.Queue();
        var perSecond = new Argument<double?>("PER_SECOND") { Description = "Messages per second, from 0.000278 (one an hour).", HelpName = "PER_SECOND", Arity = ArgumentArity.ZeroOrOne };
        var burst = new Option<int?>("--burst") { Description = "How many messages may be released at once after a pause. Default: the burst that the code sets.", HelpName = "COUNT" };
        var clear = new Option<bool>("--clear") { Description = "Remove all that operators have set, a pause included. The code's settings hold again." };
        command.Arguments.Add(queue);
        command.Arguments.Add(perSecond);
        command.Options.Add(burst);
        command.Options.Add(clear);
        command.SetAction((parsed, cancellationToken) =>
        {
            var point = LimiterCommand.QueueOf(parsed.GetValue(queue));
            var by = host.Operator;
            var rate = parsed.GetValue(perSecond);
            var most = parsed.GetValue(burst);
            if (parsed.GetValue(clear) == rate is not null || (rate is null && most is not null))
            {
                throw new UsageException("Found " + (rate is null ? "no PER_SECOND" : "PER_SECOND and --clear") + ", wanted either a rate in messages per second or --clear.");
            }

            if (rate is { } wanted && !(wanted >= SettingRange.LowestRate && wanted <= SettingRange.HighestRate))
            {
                throw new UsageException(FormattableString.Invariant($"PER_SECOND: found {wanted}, wanted 0.000278 (one an hour) to {SettingRange.HighestRate:0}."));
            }

            if (most is < 1 or > SettingRange.LargestBurst)
            {
                throw new UsageException($"--burst: found {most}, wanted 1 to {SettingRange.LargestBurst}.");
            }

            return LimiterSettingAnswer.RunAsync(
                host,
                parsed,
                point,
                control =>
                    rate is null ? control.ClearAsync(point, by, cancellationToken) : control.SetRateAsync(point, rate.Value, most, by, cancellationToken),
                cancellationToken);
        });
        return command;
    }
}
