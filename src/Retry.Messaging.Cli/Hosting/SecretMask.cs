using System.Text.RegularExpressions;

namespace Retry.Messaging.Cli.Hosting;

/// <summary>Takes passwords out of text that repeats what was typed.</summary>
internal static partial class SecretMask
{
    /// <summary>Masks whatever stands between the first ':' after "://" and the last '@' of the same word.</summary>
    /// <remarks>But not in our own messages, which want <c>user:password@host</c>.</remarks>
    public static string Apply(string text) => AddressPassword().Replace(text, "${before}***@");

    [GeneratedRegex(@"(?<before>://[^\s:@/]*:)(?!password@host)\S*@", RegexOptions.CultureInvariant)]
    private static partial Regex AddressPassword();
}
