using Retry.Messaging.RabbitMq.Control;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>Writes what recurs, and what is said about it, into the control log.</summary>
/// <remarks>Of two that write at once one is first. The other reads what the first has written, and says again what it has to say.</remarks>
internal sealed class RecurrenceWriter(ControlLog log, RecurrenceBook book, string by, TimeProvider time)
{
    private const int Tries = 10;

    /// <summary>Writes what recurs; nothing is written where it stands there already.</summary>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    /// <exception cref="FormatException">Its times cannot be read.</exception>
    public Task DefineAsync(string name, RecurrenceDefinition definition, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        _ = definition.Slots();
        return ChangeAsync(
            name,
            RecurrenceDocuments.DefinitionKind,
            state =>
            {
                if (state is { Lives: true, WhyUnreadable: null } && RecurrenceDocuments.AreSame(state.Definition!, definition))
                {
                    return null;
                }

                var since = state is { Lives: true } && state.Definition!.HasTimesOf(definition) ? state.Definition.Since : now;
                return definition with { Since = since };
            },
            state => state.DefinedBy,
            cancellationToken);
    }

    /// <summary>Ends a recurrence.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    public Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) => ChangeAsync(
        name,
        RecurrenceDocuments.DefinitionKind,
        state => state.Definition is { Removed: false } definition ? definition with { Removed = true, Message = null } : null,
        state => state.DefinedBy,
        cancellationToken);

    /// <summary>Stops it until <see cref="ResumeAsync"/>. The slots in between are never sent.</summary>
    /// <returns>Whether that changed anything.</returns>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    public Task<bool> PauseAsync(string name, CancellationToken cancellationToken) =>
        SetAsync(name, setting => setting.Paused ? null : setting with { Paused = true }, cancellationToken);

    /// <summary>Ends a pause.</summary>
    /// <returns>Whether that changed anything.</returns>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    public Task<bool> ResumeAsync(string name, CancellationToken cancellationToken) =>
        SetAsync(name, setting => setting.Paused ? setting with { Paused = false, ResumedAt = time.GetUtcNow() } : null, cancellationToken);

    /// <summary>Has one message sent out of turn; the slots stay as they are.</summary>
    /// <exception cref="ControlException">The log cannot be written.</exception>
    public Task RunNowAsync(string name, CancellationToken cancellationToken) =>
        SetAsync(name, setting => setting with { Requested = setting.Requested + 1 }, cancellationToken);

    private Task<bool> SetAsync(string name, Func<RecurrenceSetting, RecurrenceSetting?> change, CancellationToken cancellationToken) =>
        ChangeAsync(name, RecurrenceDocuments.SettingKind, state => change(state.Setting), state => state.SetBy, cancellationToken);

    private async Task<bool> ChangeAsync<T>(
        string name,
        string kind,
        Func<RecurrenceState, T?> change,
        Func<RecurrenceState, ControlRecord?> last,
        CancellationToken cancellationToken)
        where T : class
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            var state = book.Of(name);
            if (change(state) is not { } document)
            {
                return false;
            }

            var version = (last(state)?.Version ?? 0) + 1;
            if (await log.AppendAsync(RecurrenceDocuments.Write(kind, name, version, document, by, time.GetUtcNow()), cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        throw new ControlException($"What recurs as '{name}' was not written: others wrote it at the same time, {Tries} times. Try again.");
    }
}
