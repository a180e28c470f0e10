using System.CommandLine;
using RabbitMQ.Client;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Cli.Options;
using Retry.Messaging.Operations.Delayed;
using Retry.Messaging.Operations.Pulse;
using Retry.Messaging.RabbitMq.Connections;

namespace Retry.Messaging.Cli.Commands.Delayed;

/// <summary>A look at what waits on the ladder, and the connection that it was made by.</summary>
internal sealed class DelayedLook : IAsyncDisposable
{
    // a process in which something happens says something every second
    private static readonly TimeSpan Listening = TimeSpan.FromSeconds(1.5);

    private readonly OwnConnection _broker;

    private DelayedLook(OwnConnection broker, IConnection connection, DelayedOverview overview, string? trouble) =>
        (_broker, Connection, Overview, Trouble) = (broker, connection, overview, trouble);

    /// <summary>Gets the connection.</summary>
    public IConnection Connection { get; }

    /// <summary>Gets what was seen.</summary>
    public DelayedOverview Overview { get; }

    /// <summary>Gets why nobody could be heard; <see langword="null"/> where that is not so.</summary>
    public string? Trouble { get; }

    /// <summary>Listens for a moment, and looks.</summary>
    public static async Task<DelayedLook> AtAsync(CliHost host, ParseResult parsed, CancellationToken cancellationToken)
    {
        var broker = new OwnConnection(GlobalOptions.RequireAddress(parsed, host), RetryCtl.Name);
        try
        {
            var connection = await broker.OpenAsync(cancellationToken).ConfigureAwait(false);
            var feed = new PulseFeed(host.Time);
            await using var silent = feed.ConfigureAwait(false);
            await feed.ListenAsync(connection, cancellationToken).ConfigureAwait(false);
            if (feed.Trouble is null)
            {
                await Task.Delay(Listening, host.Time, cancellationToken).ConfigureAwait(false);
            }

            var overview = await new DelayedReader(connection, feed.Board, host.Time).ReadAsync(cancellationToken).ConfigureAwait(false);
            return new DelayedLook(broker, connection, overview, feed.Trouble);
        }
        catch
        {
            await broker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _broker.DisposeAsync();
}
