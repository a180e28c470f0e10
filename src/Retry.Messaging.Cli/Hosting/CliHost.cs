namespace Retry.Messaging.Cli.Hosting;

/// <summary>What the outside world is to a command: streams, environment, and whether a person is looking.</summary>
internal sealed record CliHost
{
    /// <summary>Wide enough that no table is folded where nobody looks at it.</summary>
    public const int EndlessWidth = 4096;

    private const int NarrowestTerminal = 40;

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public TextReader In { get; init; } = TextReader.Null;

    /// <summary>Reads an environment variable.</summary>
    public Func<string, string?> Variable { get; init; } = static _ => null;

    /// <summary>The clock that "an hour ago" is counted from.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether a person reads standard output.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether a person reads standard error.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Whether a person can be asked.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Columns of standard output.</summary>
    public int Width { get; init; } = EndlessWidth;

    /// <summary>Who types, for others to read.</summary>
    public string Operator => $"{Variable("USER") ?? Environment.UserName}@{Environment.MachineName}";

    public static CliHost FromConsole() => new()
    {
        Out = Console.Out,
        Error = Console.Error,
        In = Console.In,
        Variable = Environment.GetEnvironmentVariable,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        InIsTerminal = !Console.IsInputRedirected,
        Width = Console.IsOutputRedirected ? EndlessWidth : Math.Max(NarrowestTerminal, Console.WindowWidth),
    };
}
