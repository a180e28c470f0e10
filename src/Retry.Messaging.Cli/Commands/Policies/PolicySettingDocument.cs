namespace Retry.Messaging.Cli.Commands.Policies;

/// <summary>One setting of a point, as JSON shows it.</summary>
internal sealed record PolicySettingDocument(string Name, string Value, string From);
