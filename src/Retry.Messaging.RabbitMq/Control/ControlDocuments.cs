namespace Retry.Messaging.RabbitMq.Control;

/// <summary>What the control log says, record by record: the living document of each kind and key.</summary>
/// <remarks>
/// <list type="number">
/// <item>A record counts when its version is higher than that of the document that lives. Two operators who have read the same
/// document both write the next version, and the second of the two does not count.</item>
/// <item>Higher is enough, it need not be one higher: a reader who begins in the middle of the log has not seen what retention
/// took, and the first record that it meets may be one that did not count. The next one that counts puts that right.</item>
/// <item>A repeat counts as well when its version is the same: of two writers with one version, the repeat tells which was first.</item>
/// <item>A document must be repeated when so much has been written after it that retention could reach it soon.</item>
/// </list>
/// Positions are sizes, because the stream's retention counts bytes.
/// </remarks>
internal sealed class ControlDocuments
{
    // What a record takes in the stream beside its body: chunk, properties, names. Generous: 26,372 records with bodies of some 45 bytes
    // were left in the 8 MB of a stream on 4.3, which is about 270 bytes for each.
    internal const int Envelope = 512;

    private readonly Dictionary<(string Kind, string Key), Living> _living = [];
    private long _written;

    /// <summary>Gets how many bytes all living documents take.</summary>
    public long Size => _living.Values.Sum(living => (long)SizeOf(living.Record));

    /// <summary>The document that lives, or <see langword="null"/> when there has never been one.</summary>
    public ControlRecord? Find(string kind, string key) => _living.TryGetValue((kind, key), out var living) ? living.Record : null;

    /// <summary>All living documents of a kind.</summary>
    public IReadOnlyList<ControlRecord> OfKind(string kind) => [.. _living.Values.Where(living => living.Record.Kind == kind).Select(living => living.Record)];

    /// <summary>Takes in the next record of the log.</summary>
    /// <returns>Whether it counts as a change: it is now the living document, and was not before.</returns>
    public bool Apply(ControlRecord record)
    {
        _written += SizeOf(record);
        var place = (record.Kind, record.Key);
        if (_living.TryGetValue(place, out var living))
        {
            if (record.Version < living.Record.Version || (record.Version == living.Record.Version && !record.IsRepeat))
            {
                return false;
            }

            if (record.Id == living.Record.Id)
            {
                _living[place] = living with { At = _written };
                return false;
            }
        }

        _living[place] = new Living(record, _written);
        return true;
    }

    /// <summary>The living documents after which more than so many bytes have been written, the oldest first.</summary>
    public IReadOnlyList<ControlRecord> OlderThan(long bytes) =>
        [.. _living.Values.Where(living => _written - living.At > bytes).OrderBy(living => living.At).Select(living => living.Record)];

    /// <summary>How many bytes a record takes in the stream, at the most.</summary>
    public static int SizeOf(ControlRecord record) => record.Body.Length + record.Kind.Length + (3 * record.Key.Length) + (3 * record.By.Length) + Envelope;

    private sealed record Living(ControlRecord Record, long At);
}
