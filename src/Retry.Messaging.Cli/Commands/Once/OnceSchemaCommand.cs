using System.CommandLine;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Idempotency.PostgreSql;

namespace Retry.Messaging.Cli.Commands.Once;

/// <summary><c>once schema</c>: the SQL for an administrator. Asks nobody, changes nothing.</summary>
internal static class OnceSchemaCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command(
            "schema",
            "Prints the SQL that makes the store's table in PostgreSQL, for administrators: a service does it by itself where its user may. In SQLite it always does. With and without --json it is plain SQL.");
        command.SetAction(_ => host.Out.Write(PostgreSqlSchema.Sql));
        return command;
    }
}
