using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Cli.Options;

/// <summary>A work queue that was named on the command line.</summary>
internal static class WorkQueue
{
    /// <summary>Makes sure that it is there: a slip must not look like a point where all is well.</summary>
    /// <exception cref="UsageException">It is not.</exception>
    public static async Task RequireAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        var look = new PassiveLook(connection);
        await using var ends = look.ConfigureAwait(false);
        if (await look.FindQueueAsync(queue, cancellationToken).ConfigureAwait(false) is null)
        {
            throw Missing(queue);
        }
    }

    /// <summary>Says that it is not there.</summary>
    public static UsageException Missing(string queue) =>
        new($"Found no queue '{queue}', wanted the work queue of a retry point. Check the name and the virtual host; the queue is made when its service starts.");
}
