using System.Diagnostics;
using MassTransit;
using MassTransit.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Retry.Messaging.MassTransit.Faults;
using Retry.Messaging.Outcomes;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.MassTransit;

/// <summary>An exception is a user's code: whatever it does when it is looked at, its message is parked and its Fault sent.</summary>
public class HostileExceptionTests
{
    public static TheoryData<string, bool> Names
    {
        get
        {
            var names = new TheoryData<string, bool>();
            foreach (var name in HostileExceptions.All.Keys)
            {
                names.Add(name, false);
                names.Add(name, true);
            }

            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_exception_that_cannot_be_serialized_is_parked_with_a_fault_of_type_and_message(string name, bool traced)
    {
        // MassTransit reads what a consumer has thrown only where somebody listens
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => traced && source.Name == "MassTransit",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var log = new ReadingLog();
        await using var service = await HarnessService.StartAsync(
            x => x.AddGradientRetry(retry => retry.Retries(1)),
            (_, cfg) => cfg.ReceiveEndpoint("hostile", e => e.Handler<Order>(_ => throw HostileExceptions.All[name]())),
            services => services.AddLogging(logging => logging.AddProvider(log)));
        service.Harness.SkipRetryDelays();

        await service.Bus.Publish(new Order("1"));

        (await service.Harness.Published.Any<Fault<Order>>()).ShouldBeTrue(name);
        await service.StopAsync();
        var parked = service.Harness.GetParked().ShouldHaveSingleItem();
        parked.State.Reason.ShouldBe(ParkReason.Exhausted);
        parked.State.History.Attempts.Count.ShouldBe(2);
        var told = service.Faults.ShouldHaveSingleItem().ShouldBeAssignableTo<Fault<Order>>()!.Exceptions;
        told[0].ExceptionType.ShouldBe(parked.Exception is AggregateException ? "System.InvalidOperationException" : TypeCache.GetShortName(parked.Exception.GetType()));
        told[0].Message.ShouldBe(HostileExceptions.Text);
        told[0].InnerException.ShouldBeNull();
        told[0].Data.ShouldBeNull();
        log.Lines.ShouldNotContain(line => line.Contains("could not send the Fault"));
    }

    [Fact]
    public void Any_other_exception_is_told_in_full()
    {
        var thrown = Should.Throw<InvalidOperationException>(() => throw new InvalidOperationException("outer", new FormatException("inner")) { Data = { ["order"] = 7 } });

        var told = FaultExceptions.Of(thrown).ShouldHaveSingleItem();

        (told.ExceptionType, told.Message, told.InnerException!.ExceptionType, told.InnerException.Message).ShouldBe(("System.InvalidOperationException", "outer", "System.FormatException", "inner"));
        told.StackTrace.ShouldContain(nameof(Any_other_exception_is_told_in_full));
        told.Data.ShouldBe([new("order", 7)]);
    }

    public sealed record Order(string Id);

    /// <summary>Writes exceptions out, as the console does.</summary>
    private sealed class ReadingLog : ILoggerProvider, ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add($"{logLevel}: {formatter(state, exception)} {(exception is null || Depth(exception) > 1000 ? null : exception.ToString())}");
            }
        }

        public void Dispose()
        {
        }

        // no log survives the text of 100,000 exceptions within each other: that is recursive in .NET itself
        private static int Depth(Exception exception)
        {
            var depth = 0;
            for (var inner = exception.InnerException; inner is not null && depth <= 1000; inner = inner.InnerException)
            {
                depth++;
            }

            return depth;
        }
    }
}
