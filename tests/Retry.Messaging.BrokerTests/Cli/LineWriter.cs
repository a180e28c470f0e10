using System.Collections.Concurrent;
using System.Text;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Cli;

/// <summary>Takes the lines of a command that goes on running, for a test that waits for one.</summary>
internal sealed class LineWriter : TextWriter
{
    private readonly ConcurrentQueue<string> _lines = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
    }

    public override void WriteLine(string? value) => _lines.Enqueue(value ?? string.Empty);

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public Task WaitForAsync(string text, TimeSpan deadline) => Eventually.TrueAsync(
        () => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)),
        deadline,
        () => $"'{text}' was not said, but: {this}");

    /// <summary>All that was said, for a test that fails.</summary>
    public override string ToString() => string.Join(" | ", _lines);
}
