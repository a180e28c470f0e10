using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Pulse;

/// <summary><c>retryctl points --watch</c> as it runs.</summary>
internal sealed class Watch : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lines _lines = new();
    private readonly Task<int> _run;

    public Watch(Uri address, Uri? management, bool json = true)
    {
        var host = new CliHost
        {
            Out = _lines,
            Error = _lines,
            Variable = name => name switch
            {
                "RETRY_BROKER" => address.AbsoluteUri,
                "RETRY_MANAGEMENT" => management?.AbsoluteUri,
                _ => null,
            },
        };
        _run = Task.Run(() => RetryCtl.InvokeAsync(json ? ["points", "--watch", "--json"] : ["points", "--watch"], host, _stop.Token));
    }

    /// <summary>Waits until a point does something.</summary>
    public async Task<JsonElement> ActivityAsync(string queue, Func<JsonElement, bool> condition)
    {
        JsonElement? found = null;
        await Eventually.TrueAsync(() => (found = Activity(queue)) is { } point && condition(point), Deadline, () => $"found {found}; last line: {_lines.Last}");
        return found!.Value;
    }

    /// <summary>Waits until something is written.</summary>
    public Task SaysAsync(string text) => Eventually.TrueAsync(() => _lines.Text.Contains(text, StringComparison.Ordinal), Deadline, () => _lines.Text);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        (await _run).ShouldBe(ExitCode.Done);
        _stop.Dispose();
    }

    private JsonElement? Activity(string queue)
    {
        if (_lines.Last is not { } last)
        {
            return null;
        }

        using var document = JsonDocument.Parse(last);
        return document.RootElement.TryGetProperty("activity", out var activity)
            && activity.EnumerateArray().FirstOrDefault(point => point.GetProperty("queue").GetString() == queue) is { ValueKind: JsonValueKind.Object } point
            ? point.Clone()
            : null;
    }

    private sealed class Lines : TextWriter
    {
        private readonly ConcurrentQueue<string> _all = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string? Last { get; private set; }

        public string Text => string.Join('\n', _all);

        public override void Write(char value)
        {
        }

        public override void WriteLine(string? value)
        {
            _all.Enqueue(value ?? string.Empty);
            Last = value?.StartsWith('{') == true ? value : Last;
        }
    }
}
