using MassTransit;
using Microsoft.Extensions.Logging;
using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Tells of endpoints in appsettings that this process does not have: a slip, or another service's.</summary>
/// <remarks>No error, since services share settings. Told when the last bus starts: with MultiBus an endpoint may be another bus's.</remarks>
internal sealed partial class UnknownEndpoints(int buses, ILogger logger) : IBusObserver
{
    private readonly List<EndpointObserver> _observers = [];
    private bool _told;

    /// <summary>Adds a bus's endpoints.</summary>
    public void Add(EndpointObserver observer)
    {
        lock (_observers)
        {
            _observers.Add(observer);
        }
    }

    public Task PreStart(IBus bus)
    {
        lock (_observers)
        {
            if (_observers.Count >= buses && !_told)
            {
                _told = true;
                Tell();
            }
        }

        return Task.CompletedTask;
    }

    public void PostCreate(IBus bus)
    {
    }

    public void CreateFaulted(Exception exception)
    {
    }

    public Task PostStart(IBus bus, Task<BusReady> busReady) => Task.CompletedTask;

    public Task StartFaulted(IBus bus, Exception exception) => Task.CompletedTask;

    public Task PreStop(IBus bus) => Task.CompletedTask;

    public Task PostStop(IBus bus) => Task.CompletedTask;

    public Task StopFaulted(IBus bus, Exception exception) => Task.CompletedTask;

    private void Tell()
    {
        var known = _observers.SelectMany(observer => observer.Queues).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal).ToList();
        var named = _observers.SelectMany(observer => observer.NamesInSettings).Distinct(StringComparer.OrdinalIgnoreCase);
        foreach (var name in named.Except(known, StringComparer.OrdinalIgnoreCase))
        {
            if (Spelling.Closest(name, known) is { } meant)
            {
                LogMisspelt(GradientRetryConfiguration.SectionName, name, meant);
            }
            else
            {
                LogUnknown(GradientRetryConfiguration.SectionName, name, string.Join(", ", known));
            }
        }
    }

    [LoggerMessage(LogEvents.EndpointMisspelt, LogLevel.Warning, "Ignored {Section}:Endpoints:{Name}, because no endpoint has that name. Did you mean '{Meant}'?")]
    private partial void LogMisspelt(string section, string name, string meant);

    [LoggerMessage(LogEvents.EndpointUnknown, LogLevel.Information, "Ignored {Section}:Endpoints:{Name}, because this process has no endpoint of that name. It has: {Known}")]
    private partial void LogUnknown(string section, string name, string known);
}
