namespace Retry.Messaging.Outcomes;

/// <summary>What an attempt came to, as SMTP tells its senders.</summary>
public enum Outcome
{
    /// <summary>Done (SMTP 250): the message needs no further attempt.</summary>
    Ok = 0,

    /// <summary>Permanent (SMTP 5xx): the fault of the sender or of the data; another attempt would end the same.</summary>
    Fail,

    /// <summary>Try again (SMTP 4xx). Whatever is unsure is this: one cannot know that an error is a failure.</summary>
    Error,
}
