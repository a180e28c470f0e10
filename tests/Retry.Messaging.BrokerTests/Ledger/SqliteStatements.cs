using System.Runtime.InteropServices;

namespace Retry.Messaging.BrokerTests.Ledger;

/// <summary>Tells of every statement that SQLite runs in this process, before it runs: of all connections, also of those that a library opens.</summary>
/// <remarks>SQLite calls an automatic extension for each connection that is opened; this one connects a trace to it.</remarks>
internal static class SqliteStatements
{
    private const string Library = "e_sqlite3";
    private const int Ok = 0;
    private const uint Statements = 1;

    private static Action<string> _told = _ => { };

    // SQLite keeps pointers to both for as long as the process lives
    private static readonly RanCallback Ran = (_, _, _, text) =>
    {
        // a trigger's statement is a comment
        if (Marshal.PtrToStringUTF8(text) is { } sql && !sql.StartsWith("--", StringComparison.Ordinal))
        {
            _told(sql);
        }

        return Ok;
    };

    private static readonly OpenedCallback Opened = (database, _, _) => Trace(database, Statements, Ran, 0);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int OpenedCallback(nint database, nint error, nint routines);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int RanCallback(uint what, nint context, nint statement, nint text);

    /// <summary>Begins to tell.</summary>
    /// <param name="told">Gets the statement, in the thread that is about to run it.</param>
    public static void Begin(Action<string> told)
    {
        _told = told;
        if (AddExtension(Opened) != Ok)
        {
            throw new InvalidOperationException("SQLite takes no automatic extension.");
        }
    }

    [DllImport(Library, EntryPoint = "sqlite3_auto_extension")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern int AddExtension(OpenedCallback opened);

    [DllImport(Library, EntryPoint = "sqlite3_trace_v2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static extern int Trace(nint database, uint what, RanCallback ran, nint context);
}
