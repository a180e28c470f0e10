namespace Retry.Messaging.Ladder;

/// <summary>The names of the ladder's own exchanges and rungs. They carry its version, so that an incompatible one can stand beside it.</summary>
internal static class LadderNames
{
    /// <summary>What every exchange and rung starts with.</summary>
    public const string Prefix = "retry.v1.";

    /// <summary>The exchange at the foot.</summary>
    public const string ReturnExchange = Prefix + "return";

    /// <summary>The exchange of one level, for example <c>retry.v1.m</c>.</summary>
    public static string LevelExchange(LadderLevel level) => Prefix + level.Name;

    /// <summary>The queue of one rung, for example <c>retry.v1.30s</c>.</summary>
    public static string Rung(LadderLevel level, int digit) => Prefix + level.Grade(digit);
}
