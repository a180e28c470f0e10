using System.Text;

namespace Payments.Running;

/// <summary>Reads on in a file that somebody else is writing.</summary>
internal sealed class LineReader(string path)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<byte> _unfinished = [];
    private long _position;

    /// <summary>Returns the whole lines that were added since the last call; none while there is no file.</summary>
    public IReadOnlyList<string> ReadNew()
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = _position;
        List<string> lines = [];
        for (int count; (count = file.Read(_buffer)) > 0;)
        {
            _position += count;
            foreach (var value in _buffer.AsSpan(0, count))
            {
                if (value != '\n')
                {
                    _unfinished.Add(value);
                    continue;
                }

                lines.Add(Encoding.UTF8.GetString([.. _unfinished]));
                _unfinished.Clear();
            }
        }

        return lines;
    }
}
