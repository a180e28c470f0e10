using System.Reflection;
using RabbitMQ.Client;

namespace Retry.Messaging.Tests.Wire;

/// <summary>What headers and properties take on the wire, by the client's own encoder.</summary>
public static class WireSize
{
    private static readonly MethodInfo Size = typeof(BasicProperties).GetInterfaces().Single(type => type.Name == "IAmqpWriteable").GetMethod("GetRequiredBufferSize")!;

    public static int Of(BasicProperties properties) => (int)Size.Invoke(properties, null)!;

    public static int Of(IDictionary<string, object?> headers) => Of(new BasicProperties { Headers = headers });
}
