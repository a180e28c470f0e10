namespace Payments.Running;

/// <summary>Files that one process writes line by line while another reads them.</summary>
internal static class LineFile
{
    /// <summary>Opens a file for lines that are the operating system's as soon as they are written: a crash of this process loses none.</summary>
    public static StreamWriter Append(string path) =>
        new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true, NewLine = "\n" };
}
