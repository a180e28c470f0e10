using System.Reflection;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;
using Retry.Messaging.Configuration;
using Retry.Messaging.MassTransit;
using Retry.Messaging.MassTransit.Filters;
using Retry.Messaging.MassTransit.Transports;
using Retry.Messaging.RabbitMq.Attempts;
using Retry.Messaging.Tests.Fakes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

public sealed class UnreadableFilterTests
{
    /// <summary>Given back at once, the delivery would come again at once, thousands of times a second.</summary>
    [Fact]
    public async Task A_defect_pauses_before_the_delivery_goes_back()
    {
        var clock = new WaitedClock();
        var began = clock.Now;
        var settler = new OutcomeSettler("orders", new RetryReporter("orders", clock, NullLogger.Instance), clock, NullLogger.Instance);
        var filter = new UnreadableFilter(new RetryPoint("orders", RetryRules.Default), new Defective(), settler, clock, new Random(1), NullLogger.Instance);

        var sending = filter.Send(DispatchProxy.Create<ExceptionReceiveContext, Delivery>(), Pipe.Empty<ExceptionReceiveContext>());
        await clock.RunAsync(sending, _ => Task.CompletedTask);

        await Should.ThrowAsync<InvalidOperationException>(() => sending);
        (clock.Now - began).ShouldBe(UnreadableFilter.DefectPause);
    }

    private sealed class Defective : IRetryTransport
    {
        public RetryDelivery Open(ReceiveContext context, ConsumeContext? message = null) => throw new InvalidOperationException("a defect");
    }

#pragma warning disable CA1852 // a proxy is derived from it
    private class Delivery : DispatchProxy
#pragma warning restore CA1852
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            "get_Exception" => new TimeoutException("the consumer's"),
            "get_CancellationToken" => CancellationToken.None,
            _ => targetMethod.ReturnType == typeof(bool) ? false : null,
        };
    }
}
