namespace Retry.Messaging.RabbitMq.Management;

/// <summary>Why the management API could not be asked.</summary>
internal enum ManagementProblem
{
    /// <summary>Nothing answers, or something else does.</summary>
    Missing,

    /// <summary>User or password are wrong, or the user has no management tag.</summary>
    Refused,

    /// <summary>The user may not see or do this.</summary>
    Forbidden,

    /// <summary>The object does not exist.</summary>
    NotFound,

    /// <summary>Any other answer.</summary>
    Failed,
}
