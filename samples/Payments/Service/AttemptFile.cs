using Payments.Running;

namespace Payments.Service;

/// <summary>The consumer's side of the ledger. A line stands in the file before the message's outcome is known to anybody else.</summary>
internal sealed class AttemptFile(Run run) : IDisposable
{
    private readonly Lock _one = new();
    private readonly StreamWriter _file = LineFile.Append(run.AttemptsFile);

    public void Write(Attempt attempt)
    {
        lock (_one)
        {
            _file.WriteLine(attempt);
        }
    }

    public void Dispose() => _file.Dispose();
}
