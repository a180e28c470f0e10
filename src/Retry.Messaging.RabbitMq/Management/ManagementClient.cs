using System.Net;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.RabbitMq.Management;

/// <summary>Asks the management API for what AMQP cannot show: bindings, arguments, policies, replicas.</summary>
internal sealed class ManagementClient : IDisposable
{
    private const string ClusterName = "cluster_name";
    private const string StatusTags = "management, policymaker, monitoring or administrator";

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpClient _http;
    private readonly ManagementAddress _address;

    /// <summary>Creates it; nothing is asked yet.</summary>
    public ManagementClient(BrokerAddress broker, ManagementAddress address)
    {
        _address = address;
        User = broker.User;
        VirtualHost = broker.VirtualHost;
        _http = new HttpClient
        {
            BaseAddress = new Uri(address.Root, "api/"),
            Timeout = AnswerTimeout,
            DefaultRequestHeaders = { Authorization = broker.BasicAuthorization() },
        };
    }

    /// <summary>Who asks.</summary>
    public string User { get; }

    /// <summary>The virtual host that the broker's address names.</summary>
    public string VirtualHost { get; }

    /// <summary>The virtual host as one segment of a path.</summary>
    public string VirtualHostSegment => Uri.EscapeDataString(VirtualHost);

    /// <summary>Makes sure that this is the management API of the broker that the connection leads to.</summary>
    /// <remarks>Several brokers on one host share it, but not its port 15672: a policy must not be written to the neighbour.</remarks>
    /// <exception cref="ManagementException">It is missing, or another cluster's.</exception>
    public async Task EnsureSameClusterAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var overview = await GetAsync("overview?columns=cluster_name", cancellationToken).ConfigureAwait(false);
        var name = overview.ValueKind == JsonValueKind.Object && overview.TryGetProperty(ClusterName, out var value) ? value.GetString() : null;
        var wanted = connection.ServerProperties?.TryGetValue(ClusterName, out var property) == true
            && property is byte[] bytes ? Encoding.UTF8.GetString(bytes) : null;
        if (name is not null && wanted is not null && name != wanted)
        {
            throw new ManagementException(
                $"The management API at {_address} belongs to cluster '{name}', wanted that of cluster '{wanted}', to which the broker address leads. Name the right API by --management or RETRY_MANAGEMENT.",
                ManagementProblem.Missing);
        }
    }

    /// <summary>Reads something.</summary>
    /// <param name="path">Below <c>/api/</c>, names escaped.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ManagementException">There was no answer that can be used.</exception>
    public async Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, path, content: null, cancellationToken).ConfigureAwait(false);
        try
        {
            return await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException)
        {
            throw new ManagementException(
                $"The answer at {_address} is not that of RabbitMQ's management API. Check the address and its port.",
                ManagementProblem.Missing,
                exception);
        }
    }

    /// <summary>Writes something.</summary>
    /// <param name="path">Below <c>/api/</c>, names escaped.</param>
    /// <param name="body">What to write, as JSON.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ManagementException">It was refused.</exception>
    public async Task PutAsync(string path, IReadOnlyDictionary<string, object?> body, CancellationToken cancellationToken)
    {
        // the whole length first: RabbitMQ 3.10 does not take a chunked body
        using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await SendAsync(HttpMethod.Put, path, content, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception)
        {
            var why = exception.InnerException is AuthenticationException tls ? tls.Message : exception.GetBaseException().Message;
            throw new ManagementException(
                $"Found no management API at {_address} ({why.Split('\n')[0].TrimEnd('.')}), wanted one. {Hint()}",
                ManagementProblem.Missing,
                exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ManagementException(
                $"The management API at {_address} gave no answer within {AnswerTimeout.TotalSeconds:0} s. Look at the broker's load and alarms, then run it again.",
                ManagementProblem.Failed,
                exception);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await ExplainAsync(response, path, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ManagementException> ExplainAsync(HttpResponseMessage response, string path, CancellationToken cancellationToken)
    {
        // as a person says it: the virtual host is named where it matters, and '/' would look like nothing
        var what = string.Join('/', path.Split('?')[0].Split('/').Where((_, i) => i != 1).Select(Uri.UnescapeDataString));
        var reason = await ReasonAsync(response, cancellationToken).ConfigureAwait(false);
        return response.StatusCode switch
        {
            // RabbitMQ says 401 for a wrong password, for a user without a tag, and for one that may not see this
            HttpStatusCode.Unauthorized when reason?.Contains("Login failed", StringComparison.OrdinalIgnoreCase) == true
                || reason?.Contains("Not management user", StringComparison.OrdinalIgnoreCase) == true =>
                new ManagementException(
                    $"The management API at {_address} refused user '{User}' ({reason}), wanted one with its password and one of the tags {StatusTags}. Run 'rabbitmqctl set_user_tags {User} monitoring', or use another user.",
                    ManagementProblem.Refused),
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                new ManagementException(
                    $"User '{User}' may not use '{what}' of the management API at {_address}{(reason is null ? "" : $" ({reason})")}. Use a user with the tag monitoring to read, policymaker to write policies.",
                    ManagementProblem.Forbidden),
            HttpStatusCode.NotFound =>
                new ManagementException(
                    $"Found no '{what}' in the management API at {_address}. Check the virtual host '{VirtualHost}'.",
                    ManagementProblem.NotFound),
            _ =>
                new ManagementException(
                    $"The management API at {_address} answered {(int)response.StatusCode} to '{what}'{(reason is null ? "" : $": {reason}")}. Look at the broker's log.",
                    ManagementProblem.Failed),
        };
    }

    private static async Task<string?> ReasonAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var body = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken).ConfigureAwait(false);
            return body.ValueKind == JsonValueKind.Object && body.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String
                ? reason.GetString()?.ReplaceLineEndings(" ")
                : null;
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException or InvalidOperationException
            or NotSupportedException)
        {
            return null;
        }
    }

    private string Hint() => _address.IsDefault
        ? "Enable it (rabbitmq-plugins enable rabbitmq_management), or say where it is by --management or RETRY_MANAGEMENT."
        : "Check --management or RETRY_MANAGEMENT, and that the plugin rabbitmq_management is enabled.";
}
