namespace Retry.Messaging.Testing;

/// <summary>What the machine offers; a record of its own so that tests can describe another machine.</summary>
internal sealed record BrokerEnvironment
{
    public const string TestBrokerVariable = "RETRY_TEST_BROKER";
    public const string TestManagementVariable = "RETRY_TEST_MANAGEMENT";
    public const string RabbitMqRootVariable = "RETRY_TEST_RABBITMQ_ROOT";

    /// <summary>Gets the installed server inside a root. The wrapper in /usr/sbin switches users and fails on private directories.</summary>
    public string ServerPath { get; init; } = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    public string? TestBroker { get; init; }

    public string? TestManagement { get; init; }

    public string? RabbitMqRoot { get; init; }

    public static BrokerEnvironment Current() => new()
    {
        TestBroker = Read(TestBrokerVariable),
        TestManagement = Read(TestManagementVariable),
        RabbitMqRoot = Read(RabbitMqRootVariable),
    };

    private static string? Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
