using Xunit;

namespace Retry.Messaging.Tests;

/// <summary>A test that asks the Linux kernel: elsewhere it counts as skipped, not as passed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
        {
            Skip = "Asks the Linux kernel; run it on Linux.";
        }
    }
}
