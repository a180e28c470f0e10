using System.Globalization;
using Payments.Gateway;

namespace Payments.Running;

/// <summary>What all roles of one run agree on.</summary>
/// <param name="Folder">Where the producer and the consumer keep their sides of the ledger.</param>
/// <param name="Payments">How many payments; 0 for no end.</param>
/// <param name="Length">How long the shop takes for them; without an end, the time from one outage to the next.</param>
internal sealed record Run(string Folder, int Payments, TimeSpan Length)
{
    /// <summary>The environment variable with the broker's address. It holds a password, which a command line would show to everybody.</summary>
    public const string BrokerVariable = "RETRY_SAMPLE_BROKER";

    private const int PerSecondWithoutEnd = 2;

    public static Uri Broker => Uri.TryCreate(Environment.GetEnvironmentVariable(BrokerVariable), UriKind.Absolute, out var broker)
        ? broker
        : throw new SampleException($"{BrokerVariable} holds no address. Set it to amqp://user:password@host:port/vhost, or run 'demo', which starts a broker of its own.");

    public bool IsEndless => Payments == 0;

    public string PublishedFile => Path.Combine(Folder, "published.txt");

    /// <summary>Gets our own database: the books of the payment service, and which messages it has done.</summary>
    public string BooksFile => Path.Combine(Folder, "payments.db");

    /// <summary>Gets the gateways' database, which a real payment service could not open.</summary>
    public string BankFile => Path.Combine(Folder, "bank.db");

    public string AttemptsFile => Path.Combine(Folder, "attempts.tsv");

    /// <summary>Gets the start of each payment's id; without an end it has the time in it, so that a restart repeats no id.</summary>
    public string IdPrefix { get; } = Payments == 0 ? $"pay-{DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-" : "pay-";

    public TimeSpan Pace => IsEndless ? TimeSpan.FromSeconds(1.0 / PerSecondWithoutEnd) : Length / Payments;

    public Outage Outage => new(Length * 0.3, Length * 0.2, IsEndless ? Length : null);

    public string FileOf(string role) => Path.Combine(Folder, role + ".log");

    public IEnumerable<string> Arguments() =>
    [
        CommandLine.FolderOption, Folder,
        CommandLine.PaymentsOption, Payments.ToString(CultureInfo.InvariantCulture),
        CommandLine.SecondsOption, Length.TotalSeconds.ToString(CultureInfo.InvariantCulture),
    ];
}
