
namespace Retry.Messaging.Operations.Topology;

/// <summary>The administrator that a boot file creates, since a broker that boots from definitions creates no default user.</summary>
internal sealed class BootAccount
{
    private const string Guest = "guest";

    /// <summary>Creates it.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="password">The password, which is only written as a salted hash.</param>
    public BootAccount(string user, string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(user);
        ArgumentException.ThrowIfNullOrEmpty(password);
        User = user;
        Password = password;
    }

    /// <summary>Gets RabbitMQ's own default: user guest, password guest, accepted from the broker's own machine only.</summary>
    public static BootAccount Default { get; } = new(Guest, Guest);

    /// <summary>Gets the user's name.</summary>
    public string User { get; }

    internal string Password { get; }

    internal bool IsDefault => ReferenceEquals(this, Default);
}
