using System.CommandLine;
using System.CommandLine.Parsing;

namespace Retry.Messaging.Cli.Hosting;

/// <summary>Says what the parser found wrong: what was found, and what is wanted.</summary>
internal static class ParseErrors
{
    /// <summary>Explains the first error of a command line that has one.</summary>
    public static string Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (command.Subcommands.Count > 0)
        {
            return $"Found {(parsed.UnmatchedTokens is [var token, ..] ? $"'{token}'" : "no command")}, wanted one of {string.Join(", ", command.Subcommands.Select(one => one.Name))}.";
        }

        var first = parsed.Errors[0];
        return first.SymbolResult switch
        {
            CommandResult or ArgumentResult { Tokens.Count: 0 } when Missing(parsed, command) is { } missing => $"Found no {missing.HelpName ?? missing.Name}, wanted it: {missing.Description}",
            ArgumentResult { Argument: var argument, Tokens: [var token] } when IsConversion(first) => $"{argument.HelpName ?? argument.Name}: {Found(token, argument.ValueType)}",
            OptionResult { Option: var option, Tokens: [var token] } when IsConversion(first) => $"{option.Name}: {Found(token, option.ValueType)}",
            _ => first.Message,
        };
    }

    private static Argument? Missing(ParseResult parsed, Command command) =>
        command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is not { Tokens.Count: > 0 });

    // what a validator of ours says names the option itself
    private static bool IsConversion(ParseError error) => error.Message.StartsWith("Cannot parse", StringComparison.Ordinal);

    private static string Found(Token token, Type wanted)
    {
        var type = Nullable.GetUnderlyingType(wanted) ?? wanted;
        return $"found '{token.Value}', wanted {(type == typeof(int) || type == typeof(long) ? "a whole number" : type == typeof(double) ? "a number" : type.Name)}.";
    }
}
