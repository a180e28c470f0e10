using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

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

    public async Task WaitForAsync(string text, TimeSpan deadline)
    {
        var clock = Stopwatch.StartNew();
        while (!_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            if (clock.Elapsed > deadline)
            {
                throw new TimeoutException($"'{text}' was not said within {deadline}, but: {string.Join(" | ", _lines)}");
            }

            await Task.Delay(20);
        }
    }
}
