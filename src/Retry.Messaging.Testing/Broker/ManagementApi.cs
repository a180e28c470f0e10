using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Serialization;

namespace Retry.Messaging.Testing;

/// <summary>The few calls to RabbitMQ's management API that a private broker needs.</summary>
internal sealed class ManagementApi : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _userName;

    public ManagementApi(Uri root, string userName, string password)
    {
        _userName = userName;
        _http = new HttpClient
        {
            BaseAddress = new Uri(root.AbsoluteUri.TrimEnd('/') + "/api/"),
            Timeout = TimeSpan.FromSeconds(30),
            DefaultRequestHeaders =
            {
                Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"))),
            },
        };
    }

    public Uri Root => _http.BaseAddress!;

    public async Task CreateVirtualHostAsync(string name, CancellationToken cancellationToken)
    {
        var path = $"vhosts/{Uri.EscapeDataString(name)}";
        await PutAsync(path, new Dictionary<string, string>(), cancellationToken).ConfigureAwait(false);
        var permissions = new Dictionary<string, string> { ["configure"] = ".*", ["write"] = ".*", ["read"] = ".*" };
        await PutAsync($"permissions/{Uri.EscapeDataString(name)}/{Uri.EscapeDataString(_userName)}", permissions, cancellationToken).ConfigureAwait(false);
    }

    public async Task DeleteVirtualHostAsync(string name, CancellationToken cancellationToken)
    {
        using var response = await _http.DeleteAsync(
            new Uri($"vhosts/{Uri.EscapeDataString(name)}", UriKind.Relative),
            cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.NotFound)
        {
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>Tells whether anybody answers, whatever the answer is.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri("whoami", UriKind.Relative), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Names the queues of a virtual host; none where it does not exist.</summary>
    public async Task<IReadOnlyList<string>> ListQueuesAsync(string virtualHost, CancellationToken cancellationToken)
    {
        var path = new Uri($"queues/{Uri.EscapeDataString(virtualHost)}?columns=name", UriKind.Relative);
        using var response = await _http.GetAsync(path, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return [];
        }

        response.EnsureSuccessStatusCode();
        var queues = await response.Content.ReadFromJsonAsync<QueueName[]>(cancellationToken).ConfigureAwait(false);
        return [.. (queues ?? []).Select(queue => queue.Name)];
    }

    public void Dispose() => _http.Dispose();

    private async Task PutAsync(string path, Dictionary<string, string> body, CancellationToken cancellationToken)
    {
        using var response = await _http.PutAsJsonAsync(new Uri(path, UriKind.Relative), body, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
    }

    private sealed record QueueName([property: JsonPropertyName("name")] string Name);
}
