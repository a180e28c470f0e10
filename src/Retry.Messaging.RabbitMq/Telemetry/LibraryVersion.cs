namespace Retry.Messaging.RabbitMq.Telemetry;

/// <summary>The version that meter and activity source carry.</summary>
internal static class LibraryVersion
{
    public static readonly string Text = typeof(LibraryVersion).Assembly.GetName().Version!.ToString(3);
}
