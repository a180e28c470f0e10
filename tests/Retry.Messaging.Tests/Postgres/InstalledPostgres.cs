using System.Globalization;

namespace Retry.Messaging.Tests.Postgres;

/// <summary>The PostgreSQL that Debian's package has put on this machine.</summary>
internal static class InstalledPostgres
{
    private const string Versions = "/usr/lib/postgresql";

    /// <summary>Gets why there is none that tests could start, or <see langword="null"/>.</summary>
    public static string? Obstacle { get; } =
        !OperatingSystem.IsLinux() ? "its server is started as on Linux"
        : Binaries is null ? $"found no server in {Versions}/*/bin (Debian, as root: eng/ensure-postgresql.sh)"
        : null;

    /// <summary>Gets the folder with the newest server's programs, or <see langword="null"/>.</summary>
    public static string? Binaries => !Directory.Exists(Versions) ? null : Directory.EnumerateDirectories(Versions)
        .Select(folder => (Bin: Path.Combine(folder, "bin"), IsVersion: int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version), Version: version))
        .Where(found => found.IsVersion && File.Exists(Path.Combine(found.Bin, "initdb")) && File.Exists(Path.Combine(found.Bin, "postgres")))
        .MaxBy(found => found.Version).Bin;

    /// <summary>Gets the words that run a command as a user without rights: PostgreSQL refuses to run as root.</summary>
    public static IReadOnlyList<string> Unprivileged =>
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] : [];
}
