using System.CommandLine;
using System.Text.RegularExpressions;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Commands.Rules;

/// <summary><c>rules</c>: parked messages that are replayed by themselves.</summary>
internal static partial class RulesCommand
{
    private const int LongestName = 64;

    public static Command Create(CliHost host) => new(
        "rules",
        "Parked messages that are replayed by themselves: at a time, when a circuit has been closed for a while, or after a deployment. A service with AddRetryOperations carries rules out; each run is a plan of 'plans list'.")
    {
        RulesListCommand.Create(host),
        RulesShowCommand.Create(host),
        RulesSetCommand.Create(host),
        RulesSayCommand.Create(
            host,
            "pause",
            "Has a rule rest until 'resume'. A run whose plan is made goes on; 'plans cancel' ends it.",
            static (rules, point, name, why, cancellationToken) => rules.PauseAsync(point, name, why, cancellationToken)),
        RulesSayCommand.Create(
            host,
            "resume",
            "Ends the pause of a rule. What came due in the pause is not made up for.",
            static (rules, point, name, _, cancellationToken) => rules.ResumeAsync(point, name, cancellationToken)),
        RulesSayCommand.Create(
            host,
            "remove",
            "Removes a rule. A run whose plan is made goes on; 'plans cancel' ends it.",
            static (rules, point, name, why, cancellationToken) => rules.RemoveAsync(point, name, why, cancellationToken)),
    };

    public static Argument<string> Name() => new("NAME") { Description = "The rule's name among those of the point, for example nightly.", HelpName = "NAME" };

    /// <summary>The name that was given.</summary>
    /// <exception cref="UsageException">It cannot be a name.</exception>
    public static string NameOf(string? name) => name is { Length: <= LongestName } && Plain().IsMatch(name)
        ? name
        : throw new UsageException($"NAME: found '{name}', wanted up to {LongestName} letters, digits, dots, dashes and underscores, the first of them a letter or a digit.");

    /// <summary>Tells that there is no such rule.</summary>
    public static UsageException Unknown(string point, string name) =>
        new($"Found no rule '{name}' of '{point}', wanted one that 'retryctl rules list' shows. Check the name and the virtual host.");

    /// <summary>The option to say why.</summary>
    public static Option<string?> Why() => PolicyCommand.Why();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*\z")]
    private static partial Regex Plain();
}
