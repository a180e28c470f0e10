namespace Retry.Messaging.Configuration;

/// <summary>How bad a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>It works, but probably not as meant.</summary>
    Warning = 0,

    /// <summary>The service must not start with it.</summary>
    Error,
}
