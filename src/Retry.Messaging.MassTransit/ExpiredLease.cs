namespace Retry.Messaging.MassTransit;

/// <summary>What becomes of a message whose lease ran out: its process died, slept or took too long, and whether its effect happened is not known.</summary>
public enum ExpiredLease
{
    /// <summary>It runs again. Writes that were enlisted happen once all the same; what is not enlisted may happen twice.</summary>
    RunAgain = 0,

    /// <summary>It is parked as Uncertain, until an operator has looked and replays it.</summary>
    Park,
}
