using Xunit;

namespace Retry.Messaging.BrokerTests.Limiter;

/// <summary>A measurement that takes minutes: runs only with RETRY_LONG_TESTS=1 (<c>make limiter</c>).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public const string Variable = "RETRY_LONG_TESTS";

    public LongTheoryAttribute()
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1")
        {
            Skip = $"Takes minutes; set {Variable}=1, or run 'make limiter'.";
        }
    }
}
