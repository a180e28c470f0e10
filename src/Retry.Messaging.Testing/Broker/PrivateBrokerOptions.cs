namespace Retry.Messaging.Testing;

/// <summary>How a <see cref="PrivateBroker"/> is set up. The defaults start a plain node for tests.</summary>
public sealed class PrivateBrokerOptions
{
    /// <summary>
    /// The <c>advanced.config</c> of a node of our own, unless <see cref="AdvancedConfig"/> says otherwise: the settings that
    /// serve the delay ladder. The prefetch of the broker's dead-letter worker (default 32) doubles the rate at which a rung
    /// drains; its confirm timeout (default 180 s) is how long a message that no queue took blocks those behind it.
    /// </summary>
    public const string DefaultAdvancedConfig = """
        [{rabbit, [{dead_letter_worker_consumer_prefetch, 1000},
                   {dead_letter_worker_publisher_confirm_timeout, 5000}]}].
        """;

    /// <summary>Gets the ways to a broker; the first one without an obstacle is taken.</summary>
    /// <value>The default is RETRY_TEST_BROKER, then an installed RabbitMQ. What is added comes after these: clear the list to have it alone.</value>
    public IList<IBrokerSource> Sources { get; } =
        [new ExistingBrokerSource(BrokerEnvironment.Current()), new InstalledRabbitMqSource(BrokerEnvironment.Current())];

    /// <summary>Gets or sets a value indicating whether a broker given by RETRY_TEST_BROKER is passed over, for tests that kill.</summary>
    /// <value>The default is false. Every option below that configures a node implies it.</value>
    public bool OwnNode { get; set; }

    /// <summary>Gets or sets the folder with the root file system of a machine that has another RabbitMQ generation installed.</summary>
    /// <value>The default is RETRY_TEST_RABBITMQ_ROOT, or the RabbitMQ of this machine.</value>
    /// <remarks>The node runs in it by chroot, which needs root. Nothing in the folder is changed.</remarks>
    public string? Root { get; set; }

    /// <summary>Gets lines that are appended to <c>rabbitmq.conf</c>.</summary>
    public IList<string> ConfigurationLines { get; } = [];

    /// <summary>Gets or sets the text of <c>advanced.config</c>.</summary>
    /// <value>The default is <see cref="DefaultAdvancedConfig"/>; <c>[].</c> gives RabbitMQ's own defaults.</value>
    public string? AdvancedConfig { get; set; }

    /// <summary>Gets or sets a definitions file (JSON) that the node boots from.</summary>
    /// <remarks>RabbitMQ then makes no default user: <see cref="UserName"/> and <see cref="Password"/> must be in the file.</remarks>
    public string? DefinitionsFile { get; set; }

    /// <summary>Gets plugins to enable beside <c>rabbitmq_management</c>.</summary>
    public IList<string> Plugins { get; } = [];

    /// <summary>Gets or sets the user that the node is started with.</summary>
    /// <value>The default is <c>guest</c>, which RabbitMQ lets in from this machine only.</value>
    public string UserName { get; set; } = "guest";

    /// <summary>Gets or sets that user's password.</summary>
    /// <value>The default is <c>guest</c>.</value>
    public string Password { get; set; } = "guest";

    /// <summary>Gets or sets the node's name, without the host.</summary>
    /// <value>The default is a random name.</value>
    public string? NodeName { get; set; }

    /// <summary>Gets or sets the Erlang cookie; the nodes of a cluster need the same.</summary>
    /// <value>The default is a random one.</value>
    public string? Cookie { get; set; }

    /// <summary>Gets or sets the port of epmd; the nodes of a cluster need the same, and the first one started must end last.</summary>
    /// <value>The default is a free port with an epmd of the node's own.</value>
    public int? EpmdPort { get; set; }

    /// <summary>Gets or sets how long a node may take until it accepts connections.</summary>
    /// <value>The default is 60 seconds; an idle machine needs about five.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets a value indicating whether a broker that somebody else runs cannot serve: <see cref="OwnNode"/>, or an option that
    /// configures a node.</summary>
    public bool NeedsOwnNode => OwnNode || Root is not null || ConfigurationLines.Count > 0 || AdvancedConfig is not null
        || DefinitionsFile is not null || Plugins.Count > 0 || NodeName is not null || Cookie is not null || EpmdPort is not null;
}
