using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Retry.Messaging.MassTransit.Endpoints;

/// <summary>The connections of control of this process: one for each virtual host, however many buses there are.</summary>
internal sealed class ProcessControls(TimeProvider time, ILoggerFactory logging)
{
    private readonly ConcurrentDictionary<(string Host, int Port, string VirtualHost), ProcessControl> _controls = new();

    /// <summary>The one for a bus's virtual host.</summary>
    public ProcessControl Of(RabbitMqHostSettings host) => _controls.GetOrAdd(
        (host.Host, host.Port, host.VirtualHost),
        static (_, made) => new ProcessControl(made.Time, made.Logging),
        (Time: time, Logging: logging));
}
