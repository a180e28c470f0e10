using System.Runtime.CompilerServices;
using RabbitMQ.Client;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>Tells the points of a connection that have no limit when a limiter of theirs starts in another process.</summary>
/// <remarks>
/// From then on there is a release queue, which may outlive the limit. Looking for a queue that does not exist writes an error into
/// the broker's log each time, so it is not done again and again; each limiter leaves a record in the settings stream when it starts.
/// </remarks>
internal sealed class LimiterNews
{
    private static readonly ConditionalWeakTable<IConnection, LimiterNews> Known = [];

    private readonly IConnection _connection;
    private readonly Lock _lock = new();
    private Task<SettingsStream>? _stream;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LimiterNews(IConnection connection) => _connection = connection;

    /// <summary>The one for a connection.</summary>
    public static LimiterNews Of(IConnection connection) => Known.GetValue(connection, static c => new LimiterNews(c));

    /// <summary>Waits until a limiter of a point says that it has started.</summary>
    /// <param name="point">The work queue.</param>
    /// <param name="after">The last such word that is known already; null for none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What it said.</returns>
    /// <exception cref="LimiterException">The stream cannot be read.</exception>
    public async Task<LimiterNode> StartedAsync(string point, LimiterNode? after, CancellationToken cancellationToken)
    {
        var stream = await StreamAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var news = Volatile.Read(ref _news).Task;
            if (stream.Failure is { } failure)
            {
                throw new LimiterException(failure);
            }

            if (stream.LastStarted(point) is { } started && started != after)
            {
                return started;
            }

            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // one reader serves all points of the connection, so it cannot be cancelled by one of them; it ends with the connection, and
    // what has failed is opened anew by the next who asks
    private Task<SettingsStream> StreamAsync()
    {
        lock (_lock)
        {
            return _stream is { IsFaulted: false } stream && !(stream.IsCompletedSuccessfully && stream.Result.Failure is not null)
                ? stream
                : _stream = SettingsStream.OpenAsync(_connection, Changed, CancellationToken.None);
        }
    }

    private void Changed() =>
        Interlocked.Exchange(ref _news, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
