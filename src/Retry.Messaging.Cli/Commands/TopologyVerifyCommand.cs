using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.RabbitMq.Verification;

namespace Retry.Messaging.Cli.Commands;

/// <summary><c>topology verify</c>: compares the broker with the plan. Silent when all is well; changes nothing.</summary>
internal static class TopologyVerifyCommand
{
    private const string AllPoints = "all";
    private const int NarrowestColumn = 12;

    public static Command Create(CliHost host)
    {
        var command = new Command("verify", "Compares the broker with the plan and says what differs, or that all is as planned; changes nothing. Exit code 3 when something differs or could not be checked; advice alone is 0.");
        var points = PointOptions.AddTo(command, $"A work queue; may be given several times. Default: {AllPoints}, every retry point that the virtual host has.");
        command.SetAction((parsed, cancellationToken) => RunAsync(host, parsed, points.QueuesOf(parsed), points.IsolatedOf(parsed), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, IReadOnlyList<string> points, IReadOnlyList<string> isolated, CancellationToken cancellationToken)
    {
        if (points.Count > 1 && points.Contains(AllPoints))
        {
            throw new UsageException($"--point: found '{AllPoints}' beside other queues, wanted one or the other.");
        }

        var address = GlobalOptions.RequireAddress(parsed, host);
        using var management = GlobalOptions.ManagementOf(parsed, host, address);
        var connection = await address.ConnectAsync(RetryCtl.Name, cancellationToken).ConfigureAwait(false);
        await using var ends = connection.ConfigureAwait(false);
        var verification = await TopologyVerification.RunAsync(connection, management, points is [] or [AllPoints] ? null : points, isolated, cancellationToken).ConfigureAwait(false);

        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonOutput.WriteLine(host.Out, new
            {
                verification.Points,
                Findings = verification.Findings.Select(finding => new { Kind = finding.Kind.ToString(), finding.Subject, finding.Found, finding.Wanted, finding.NextStep }),
                verification.NotChecked,
                verification.Advice,
            });
        }
        else
        {
            Write(host, verification);
        }

        return verification.IsClean ? ExitCode.Done : ExitCode.Finding;
    }

    private static void Write(CliHost host, TopologyVerification verification)
    {
        if (verification.Findings.Count > 0)
        {
            var table = Tables.Create(host, ["KIND"], ["WHERE", "FOUND", "WANTED", "NEXT STEP"]);
            foreach (var finding in verification.Findings)
            {
                Tables.AddRow(table, finding.Kind.ToString(), finding.Subject, finding.Found, finding.Wanted, finding.NextStep);
            }

            Tables.Write(host, table, NarrowestColumn);
            host.Out.WriteLine();
            host.Out.WriteLine($"{Printable.Count(verification.Findings.Count)} {(verification.Findings.Count == 1 ? "finding" : "findings")}.");
        }

        if (verification.IsClean)
        {
            host.Out.WriteLine($"As planned: the ladder and {Printable.Count(verification.Points.Count)} {(verification.Points.Count == 1 ? "retry point" : "retry points")}.");
        }

        foreach (var item in verification.NotChecked)
        {
            host.Out.WriteLine($"Not checked: {item.What}. {Printable.Line(item.Why)}");
        }

        foreach (var advice in verification.Advice)
        {
            host.Out.WriteLine($"Advice: {Printable.Line(advice)}");
        }
    }
}
