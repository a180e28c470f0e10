namespace Payments.Running;

/// <summary>What the user asked for beside the run itself.</summary>
/// <param name="Keep">The broker stays after the end until Enter or Ctrl-C.</param>
/// <param name="Sabotage">A message is taken off the ladder.</param>
/// <param name="Plain">Lines, also where there is a terminal.</param>
internal sealed record RunOptions(bool Keep, bool Sabotage, bool Plain);
