namespace Retry.Messaging.RabbitMq.Instances;

/// <summary>What an instance of a service says of itself to operators.</summary>
/// <param name="Started">When it started, by its clock.</param>
/// <param name="Library">The version of this library.</param>
/// <param name="Framework">The framework that it consumes with and its version, for example <c>MassTransit 8.5.12</c>.</param>
/// <param name="Runtime">The .NET version.</param>
/// <param name="Build">What its build is called; <see langword="null"/> where nobody named it.</param>
internal sealed record InstanceFacts(DateTimeOffset Started, string Library, string Framework, string Runtime, string? Build);
