namespace Retry.Messaging.Operations.Plans;

/// <summary>What somebody wants done, before it is a plan.</summary>
/// <param name="Id">The plan's id.</param>
/// <param name="Terms">What is done.</param>
internal sealed record PlanOrder(string Id, PlanTerms Terms)
{
    /// <summary>Who wants it.</summary>
    public string By { get; init; } = $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>Whether only a plan that is open is gone on with, and none is made.</summary>
    public bool Resumes { get; init; }

    /// <summary>The other body of the one message.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>Whether a plan that is ended in good order before its end stays open, to be resumed; else the rest is simply parked as before.</summary>
    public bool StaysOpen { get; init; }

    /// <summary>Whether it is only written down, for a service to carry out.</summary>
    public bool Detaches { get; init; }

    /// <summary>Whether a plan of this id is made only where there has been none: one that has ended is not made again.</summary>
    public bool IsMadeOnce { get; init; }

    /// <summary>Tells at its end whether somebody has asked for it: then it is theirs, and no service goes on with it.</summary>
    public Func<bool>? IsAskedFor { get; init; }

    /// <summary>Whether messages are taken, too, that a cancelled plan may have sent.</summary>
    public bool TakesDoubtful { get; init; }

    /// <summary>Told for whom it waits.</summary>
    public Action<string>? Waits { get; init; }

    /// <summary>Told how many messages are left out because a cancelled plan may have sent them.</summary>
    public Action<int>? KeepsBack { get; init; }

    /// <summary>Told the plan when it is written down, before the first message is moved.</summary>
    public Action<Plan>? Begins { get; init; }
}
