using System.Security.Cryptography;

namespace Retry.Messaging.Testing;

/// <summary>Names for virtual hosts of ours: what starts like this may be deleted by hand after a crash.</summary>
internal static class VirtualHostName
{
    public static string Next() => $"retry-test-{RandomNumberGenerator.GetHexString(10, lowercase: true)}";
}
