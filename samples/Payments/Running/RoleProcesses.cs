namespace Payments.Running;

/// <summary>The three roles, running beside each other.</summary>
internal sealed class RoleProcesses : IAsyncDisposable
{
    private const int LinesShown = 5;
    private const int LineLength = 200;

    private readonly Run _run;
    private readonly bool _logsToFiles;
    private readonly RoleProcess _producer;
    private readonly RoleProcess _consumer;
    private readonly RoleProcess _auditor;

    private RoleProcesses(Run run, bool logsToFiles, Func<string, RoleProcess> start)
    {
        _run = run;
        _logsToFiles = logsToFiles;
        _auditor = start(Roles.Auditor);
        _consumer = start(Roles.Consumer);
        _producer = start(Roles.Producer);
    }

    /// <summary>Starts them; the auditor speaks to the user, so its errors go where this process's go.</summary>
    public static RoleProcesses Start(Run run, Uri broker, RunOptions options, bool logsToFiles) => new(run, logsToFiles, role => RoleProcess.Start(
        role,
        broker,
        role == Roles.Auditor ? [.. run.Arguments(), .. AuditorsOptions(options)] : run.Arguments(),
        logsToFiles && role != Roles.Auditor ? run.FileOf(role) : null));

    /// <summary>Waits for the auditor's verdict.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="SampleException">Another role ended first.</exception>
    public async Task<int> WaitForVerdictAsync(CancellationToken cancellationToken)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var verdict = _auditor.WaitAsync(watching.Token);
        List<Task> ends = [verdict, FailAsync(_consumer, mayEnd: false, watching.Token), FailAsync(_producer, mayEnd: true, watching.Token)];
        try
        {
            await await Task.WhenAny(ends);
            return await verdict;
        }
        finally
        {
            await watching.CancelAsync();
            await Task.WhenAll(ends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var role in (RoleProcess[])[_producer, _consumer, _auditor])
        {
            await role.DisposeAsync();
        }
    }

    // the saboteur says a line of its own, which would tear the picture apart
    private static IEnumerable<string> AuditorsOptions(RunOptions options) =>
        [.. options.Keep ? (string[])[CommandLine.KeepOption] : [], .. options.Plain || options.Sabotage ? (string[])[CommandLine.PlainOption] : []];

    /// <summary>Ends only by an exception: a role has ended that should not have, or the waiting is over.</summary>
    private async Task FailAsync(RoleProcess role, bool mayEnd, CancellationToken cancellationToken)
    {
        var exitCode = await role.WaitAsync(cancellationToken);
        if (mayEnd && exitCode == ExitCodes.AllAccountedFor)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw new SampleException($"The {role.Role} ended by itself, with exit code {exitCode}.{(_logsToFiles ? LastLinesOf(_run.FileOf(role.Role)) : string.Empty)}");
    }

    private static string LastLinesOf(string log)
    {
        var lines = File.ReadLines(log).TakeLast(LinesShown).Select(line => Environment.NewLine + "  " + (line.Length > LineLength ? line[..LineLength] + "…" : line));
        return $" The end of {log}:{string.Concat(lines)}";
    }
}
