namespace Payments.Running;

/// <summary>The three processes of the sample, as the first argument names them.</summary>
internal static class Roles
{
    public const string Producer = "producer";
    public const string Consumer = "consumer";
    public const string Auditor = "auditor";
}
