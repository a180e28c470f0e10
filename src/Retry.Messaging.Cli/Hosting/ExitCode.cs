namespace Retry.Messaging.Cli.Hosting;

/// <summary>What a script learns from retryctl.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>Something is not as it should be, or could not be checked.</summary>
    public const int Finding = 3;
}
