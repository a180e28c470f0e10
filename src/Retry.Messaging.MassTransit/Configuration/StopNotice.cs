using MassTransit;

namespace Retry.Messaging.MassTransit.Configuration;

/// <summary>Has an instance say that it stops before its bus cuts off the first delivery, and ends the control of its points when it has stopped.</summary>
internal sealed class StopNotice(EndpointObserver endpoints) : IBusObserver
{
    public Task PreStop(IBus bus) => endpoints.Upkeep.EndAsync();

    public void PostCreate(IBus bus)
    {
    }

    public void CreateFaulted(Exception exception)
    {
    }

    public Task PreStart(IBus bus) => Task.CompletedTask;

    public Task PostStart(IBus bus, Task<BusReady> busReady) => Task.CompletedTask;

    public Task StartFaulted(IBus bus, Exception exception) => Task.CompletedTask;

    public Task PostStop(IBus bus) => endpoints.Upkeep.LeaveAsync();

    public Task StopFaulted(IBus bus, Exception exception) => Task.CompletedTask;
}
