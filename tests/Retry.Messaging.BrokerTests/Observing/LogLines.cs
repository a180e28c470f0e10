using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Tests.Waiting;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>What our own libraries write into a service's log, from warnings upwards.</summary>
internal sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public void AddTo(IServiceCollection services)
    {
        services.AddSingleton<ILoggerProvider>(this);
        services.Configure<LoggerFilterOptions>(options =>
        {
            options.MinLevel = LogLevel.None;
            options.Rules.Add(new LoggerFilterRule(null, "Retry.Messaging", LogLevel.Warning, null));
        });
    }

    /// <summary>Waits until a line with this text has been written, or any line.</summary>
    public Task WaitForLineAsync(TimeSpan deadline, string text = "") => Eventually.TrueAsync(
        () => _lines.Any(line => line.Contains(text, StringComparison.Ordinal)),
        deadline,
        () => _lines.IsEmpty ? "nothing was logged" : $"no line with '{text}' was logged, but: {string.Join(" | ", _lines)}");

    public ILogger CreateLogger(string categoryName) => new Logger(_lines);

    public void Dispose()
    {
    }

    private sealed class Logger(ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue(formatter(state, exception));
    }
}
