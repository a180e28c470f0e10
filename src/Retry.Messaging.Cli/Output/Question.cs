using Retry.Messaging.Cli.Hosting;

namespace Retry.Messaging.Cli.Output;

/// <summary>Asks before something is done that cannot be undone.</summary>
internal static class Question
{
    /// <summary>Why nobody can be asked, with the option that a command needs instead.</summary>
    public static string WhyImpossible(bool json) => json ? "With --json retryctl cannot ask, wanted --yes." : "Found no terminal to ask on, wanted --yes.";

    /// <summary>Whether the answer is yes; anything else, and no answer, is no.</summary>
    public static async Task<bool> IsAgreedAsync(CliHost host, string question, CancellationToken cancellationToken)
    {
        await host.Error.WriteAsync(Printable.Wrap(string.Empty, $"{Printable.Line(question)}? [y/N] ", host.Width)).ConfigureAwait(false);
        // a console's ReadLine cannot be cancelled, so it is left behind
        var answer = await Task.Run(host.In.ReadLine, CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        return answer?.Trim() is "y" or "Y" or "yes" or "Yes";
    }
}
