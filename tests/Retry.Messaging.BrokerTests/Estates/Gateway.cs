namespace Shop;

/// <summary>A user's code that fails; a namespace of our own would be taken for a library's in a fingerprint.</summary>
internal static class Gateway
{
    public static async Task ChargeAsync(int number)
    {
        await Task.Yield();
        throw number % 5 == 0
            ? new TimeoutException($"No answer from gateway{number} in 30 s")
            : new InvalidOperationException($"Card 4711{number} was declined");
    }
}
