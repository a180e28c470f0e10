using System.CommandLine;
using Retry.Messaging.Breaker;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Circuits;
using Retry.Messaging.RabbitMq.Circuit;

namespace Retry.Messaging.Cli.Commands.Breakers;

/// <summary>Shows the circuit of a point.</summary>
internal static class BreakerAnswer
{
    /// <summary>Shows it.</summary>
    /// <returns>The exit code: 3 where instances serve the point and not all of them obey the circuit, or one is ill.</returns>
    public static int Write(CliHost host, ParseResult parsed, CircuitReport report)
    {
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, BreakerDocument.Of(report));
        }
        else
        {
            var document = report.Document;
            host.Out.WriteLine(Printable.Wrap($"{Printable.Line(document.Point)}: ", $"{StateOf(report)}.{(document.Version > 0 ? $" Since {Printable.Time(document.At)}, by {Printable.Line(document.By)}: {Printable.Line(document.Why)}." : string.Empty)}", host.Width));
            host.Out.WriteLine(Printable.Wrap(string.Empty, InstancesOf(report), host.Width));
            foreach (var (node, why) in report.Ill)
            {
                host.Out.WriteLine(Printable.Wrap($"{Printable.Line(node)}: ", $"ill, and takes no messages but to try itself: {Printable.Line(why)}.", host.Width));
            }
        }

        return report.Instances == report.WithBreaker && report.Ill.Count == 0 ? ExitCode.Done : ExitCode.Finding;
    }

    private static string StateOf(CircuitReport report) => report.Document switch
    {
        { Version: 0 } when report is { Instances: > 0, WithBreaker: 0 } => "has no breaker",
        { Hand: CircuitHand.Open } => "open by hand, and nothing is tried; 'retryctl breaker auto' ends it",
        { Hand: CircuitHand.Closed } => "closed by hand, whatever comes of it; 'retryctl breaker auto' ends it",
        { State: CircuitState.Open } => "open; one message is tried in each interval",
        { State: CircuitState.HalfOpen } => "half-open; a few messages are tried",
        { State: CircuitState.Closing } => "closing; more messages are consumed each second",
        _ => "closed",
    };

    private static string InstancesOf(CircuitReport report) => report switch
    {
        { Instances: 0 } => "No instance serves the point at the moment.",
        { WithBreaker: 0 } => $"None of {Printable.Count(report.Instances, "instance")} has a breaker: say Breaker() in its service, or type 'retryctl policy set {Printable.Line(report.Document.Point)} --breaker true'.",
        _ => $"{Printable.Count(report.WithBreaker)} of {Printable.Count(report.Instances, "instance")} obey it, and {(report.IsJudged ? "one of them judges the target" : "none of them judges the target yet")}.",
    };
}
