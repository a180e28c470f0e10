using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Operations.Verification;

namespace Retry.Messaging.Cli.Commands.Topology;

/// <summary><c>topology verify</c>: compares the broker with the plan. Silent when all is well; changes nothing.</summary>
internal static class TopologyVerifyCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "verify",
            "Compares the broker with the plan and shows what differs. Changes nothing. Exit code 3 when something differs or could not be checked; 0 when there is only advice.");
        var points = PointOptions.AddTo(command, "A work queue; may be given several times. Default: --all.");
        var all = PointOptions.AddAll(command, "Every retry point of the virtual host, in addition to those that are named. The default when none is named.");
        command.SetAction((parsed, cancellationToken) => RunAsync(
            host,
            parsed,
            points.QueuesOf(parsed),
            points.IsolatedOf(parsed),
            parsed.GetValue(all),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        CliHost host,
        ParseResult parsed,
        IReadOnlyList<string> points,
        IReadOnlyList<string> isolated,
        bool all,
        CancellationToken cancellationToken)
    {
        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var verification = await TopologyVerification.RunAsync(
            connection,
            management,
            points,
            all || points.Count == 0,
            isolated,
            cancellationToken).ConfigureAwait(false);

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, new TopologyVerifyDocument(
                verification.Points,
                [.. verification.Findings.Select(finding => new FindingDocument(
                    finding.Kind.ToString(),
                    finding.Subject,
                    finding.Found,
                    finding.Wanted,
                    finding.NextStep))],
                [.. verification.NotChecked.Select(item => new NotCheckedDocument(item.What, item.Why))],
                verification.Advice));
        }
        else
        {
            Write(host, verification);
        }

        return verification.IsClean ? ExitCode.Done : ExitCode.Finding;
    }

    private static void Write(CliHost host, TopologyVerification verification)
    {
        foreach (var group in FindingGroup.Of(verification.Findings))
        {
            Line($"{group.Kind}: ", group.Subjects);
            Line("  found      ", group.Found);
            Line("  wanted     ", group.Wanted);
            Line("  next step  ", group.NextStep);
            host.Out.WriteLine();
        }

        if (verification.Findings.Count > 0)
        {
            host.Out.WriteLine($"{Printable.Count(verification.Findings.Count, "finding")}.");
        }

        if (verification.IsClean)
        {
            host.Out.WriteLine($"As planned: the ladder and {Printable.Count(verification.Points.Count, "retry point")}.");
        }

        foreach (var item in verification.NotChecked)
        {
            Line("Not checked: ", $"{item.What}. {item.Why}");
        }

        foreach (var advice in verification.Advice)
        {
            Line("Advice: ", advice);
        }

        void Line(string label, string text) => host.Out.WriteLine(Printable.Wrap(label, Printable.Line(text), host.Width));
    }
}
