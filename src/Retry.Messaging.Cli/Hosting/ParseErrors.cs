using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

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
            CommandResult or ArgumentResult { Tokens.Count: 0 } when Missing(parsed, command) is { } missing => $"Found no {missing.HelpName ?? missing.Name}, wanted {Lower(missing.Description!)}",
            ArgumentResult { Argument: var argument, Tokens: [var token] } when IsConversion(first) => $"{argument.HelpName ?? argument.Name}: {Found(token, argument.ValueType)}",
            OptionResult { Option: var option, Tokens: [var token] } when IsConversion(first) => $"{option.Name}: {Found(token, option.ValueType)}",
            _ => first.Message,
        };
    }

    /// <summary>Finds a misspelt option among the arguments: it would be taken for an id or a name. One that is meant stands after <c>--</c>.</summary>
    /// <returns>What was found, or <see langword="null"/>.</returns>
    public static string? StrayOption(ParseResult parsed)
    {
        var meant = parsed.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Select(token => token.Value).ToHashSet(StringComparer.Ordinal);
        return parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .Select(token => token.Value)
            .Where(value => value.Length > 1 && value[0] == '-' && !double.TryParse(value, CultureInfo.InvariantCulture, out _))
            .FirstOrDefault(value => !meant.Contains(value));
    }

    private static Argument? Missing(ParseResult parsed, Command command) =>
        command.Arguments.FirstOrDefault(argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is not { Tokens.Count: > 0 });

    private static string Lower(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];

    // what a validator of ours says names the option itself
    private static bool IsConversion(ParseError error) => error.Message.StartsWith("Cannot parse", StringComparison.Ordinal);

    private static string Found(Token token, Type wanted)
    {
        var type = Nullable.GetUnderlyingType(wanted) ?? wanted;
        return $"found '{token.Value}', wanted {(type == typeof(int) || type == typeof(long) ? "a whole number" : type == typeof(double) ? "a number" : type.Name)}.";
    }
}
