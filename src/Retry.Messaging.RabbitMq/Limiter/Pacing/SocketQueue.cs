using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Retry.Messaging.RabbitMq.Limiter.Pacing;

/// <summary>What a socket has been given and not yet sent.</summary>
internal static class SocketQueue
{
    private const nuint UnsentBytes = 0x894B;

    /// <summary>Counts the bytes that wait in the kernel; 0 where the system does not tell.</summary>
    public static int Unsent(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        var bytes = 0;
        return Control(socket.SafeHandle, UnsentBytes, ref bytes) == 0 ? bytes : 0;
    }

#pragma warning disable SYSLIB1054 // source generation would want unsafe code in the whole project, for one number
    [DllImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(SafeSocketHandle socket, nuint request, ref int value);
#pragma warning restore SYSLIB1054
}
