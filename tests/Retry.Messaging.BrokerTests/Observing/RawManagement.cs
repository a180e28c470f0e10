using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;

namespace Retry.Messaging.BrokerTests.Observing;

/// <summary>The management API as somebody else uses it, to spoil a broker and to look at it from outside.</summary>
public sealed class RawManagement : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _virtualHost;

    public RawManagement(PrivateBroker broker, Uri virtualHost)
    {
        _virtualHost = virtualHost.AbsolutePath.Trim('/');
        _http = new HttpClient { BaseAddress = new Uri(broker.ManagementUri!, "/api/") };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{broker.UserName}:{broker.Password}")));
    }

    public Task SetPolicyAsync(string name, string pattern, object definition, int priority = 0, bool isOperators = false) =>
        SendAsync(HttpMethod.Put, $"{(isOperators ? "operator-policies" : "policies")}/{_virtualHost}/{Uri.EscapeDataString(name)}", new Dictionary<string, object> { ["pattern"] = pattern, ["apply-to"] = "queues", ["priority"] = priority, ["definition"] = definition });

    public Task DeletePolicyAsync(string name, bool isOperators = false) =>
        SendAsync(HttpMethod.Delete, $"{(isOperators ? "operator-policies" : "policies")}/{_virtualHost}/{Uri.EscapeDataString(name)}");

    /// <summary>Makes a user of the virtual host who may read everything, and configure and write what fits a pattern.</summary>
    public async Task SetUserAsync(string name, string password, string mayConfigure, string tags = "", string mayWrite = ".*")
    {
        await SendAsync(HttpMethod.Put, $"users/{name}", new { password, tags });
        await SendAsync(HttpMethod.Put, $"permissions/{_virtualHost}/{name}", new { configure = mayConfigure, write = mayWrite, read = ".*" });
    }

    /// <summary>Closes the connections of the virtual host whose name says what they are for, as soon as the broker lists them.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> CloseConnectionsAsync(string purpose)
    {
        string[] names = [];
        await Eventually.TrueAsync(async () => (names = await ConnectionsAsync(purpose)).Length > 0, TimeSpan.FromSeconds(30));
        foreach (var name in names)
        {
            await SendAsync(HttpMethod.Delete, $"connections/{Uri.EscapeDataString(name)}");
        }

        return names.Length;
    }

    private async Task<string[]> ConnectionsAsync(string purpose)
    {
        using var document = JsonDocument.Parse(await GetAsync("vhosts/VHOST/connections"));
        return
        [
            .. document.RootElement.EnumerateArray()
                .Where(connection => connection.TryGetProperty("user_provided_name", out var name) && name.GetString()!.EndsWith(purpose, StringComparison.Ordinal))
                .Select(connection => connection.GetProperty("name").GetString()!),
        ];
    }

    public Task DeleteUserAsync(string name) => SendAsync(HttpMethod.Delete, $"users/{name}");

    /// <summary>Imports definitions into the virtual host, as <c>curl</c> would.</summary>
    public async Task ImportAsync(string definitions)
    {
        using var content = new StringContent(definitions, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(new Uri("definitions/" + _virtualHost, UriKind.Relative), content);
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }

    public async Task<string> GetAsync(string path) => await _http.GetStringAsync(new Uri(path.Replace("VHOST", _virtualHost, StringComparison.Ordinal), UriKind.Relative));

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : new StringContent(System.Text.Json.JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
        using var response = await _http.SendAsync(request);
        response.EnsureSuccessStatusCode();
    }
}
