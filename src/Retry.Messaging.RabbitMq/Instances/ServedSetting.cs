namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>One setting of a point as an instance has it.</summary>
/// <param name="Name">Its name in appsettings.</param>
/// <param name="Value">Its value, in words.</param>
/// <param name="From">Who says it: an operator, a layer of the service's settings, or nobody.</param>
internal sealed record ServedSetting(string Name, string Value, string From);
