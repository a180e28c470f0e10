using System.Net.Http.Headers;
using System.Text;
using Retry.Messaging.Testing;

namespace Retry.Messaging.Benchmarks.Running;

/// <summary>A virtual host for one benchmark. It is deleted afterwards, since 57 idle rungs still cost the broker something.</summary>
internal sealed class MeasuredHost : IAsyncDisposable
{
    private readonly PrivateBroker _broker;

    private MeasuredHost(PrivateBroker broker, Uri address) => (_broker, Address) = (broker, address);

    /// <summary>Gets the address to connect to.</summary>
    public Uri Address { get; }

    public static async Task<MeasuredHost> CreateAsync(PrivateBroker broker, CancellationToken cancellationToken) =>
        new(broker, await broker.CreateVirtualHostAsync(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        if (_broker.ManagementUri is not { } management)
        {
            return;
        }

        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_broker.UserName}:{_broker.Password}")));
        try
        {
            using var answer = await client.DeleteAsync(new Uri(management, $"api/vhosts/{Address.AbsolutePath.TrimStart('/')}"));
        }
        catch (HttpRequestException)
        {
            // the broker ends soon, and with it the virtual host
        }
    }
}
