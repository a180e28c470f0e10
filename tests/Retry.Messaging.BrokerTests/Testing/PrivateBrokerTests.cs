using System.Diagnostics;
using System.Net;
using RabbitMQ.Client;
using Retry.Messaging.BrokerTests.Processes;
using Retry.Messaging.Testing;
using Retry.Messaging.Tests.Waiting;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Testing;

public sealed class PrivateBrokerTests(OwnNode own) : IClassFixture<OwnNode>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);
    private static readonly CreateChannelOptions Confirmed = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);

    private readonly PrivateBroker _broker = own.Broker;

    [Fact]
    public async Task Names_its_version()
    {
        _broker.Version.ShouldMatch(@"^\d+\.\d+\.\d+");
        (await _broker.ControlAsync("version")).Trim().ShouldEndWith(_broker.Version);
    }

    [Fact]
    public void Listens_on_loopback_only()
    {
        var processes = LinuxProcesses.Mentioning(_broker.DataDirectory!);
        processes.ShouldContain(_broker.ProcessId!.Value);

        var listeners = processes.SelectMany(LinuxProcesses.ListenersOf).ToList();

        listeners.ShouldAllBe(endPoint => IPAddress.IsLoopback(endPoint.Address));

        // AMQP, management, distribution, and epmd on 127.0.0.1 (and on ::1, which it always adds)
        listeners.Select(endPoint => endPoint.Port).Distinct().Count().ShouldBe(4);
    }

    [Fact]
    public async Task Has_the_settings_that_serve_the_ladder()
    {
        (await _broker.ControlAsync("eval", "application:get_env(rabbit, dead_letter_worker_consumer_prefetch).")).Trim().ShouldBe("{ok,1000}");
        (await _broker.ControlAsync("eval", "application:get_env(rabbit, dead_letter_worker_publisher_confirm_timeout).")).Trim().ShouldBe("{ok,5000}");
    }

    [Fact]
    public async Task Says_what_rabbitmqctl_said_when_it_fails()
    {
        var failure = await Should.ThrowAsync<InvalidOperationException>(() => _broker.ControlAsync("delete_queue", "nobody"));
        failure.Message.ShouldContain("rabbitmqctl delete_queue nobody");
        failure.Message.ShouldMatch("(?i)not.found|no such queue");
    }

    [Fact]
    public async Task Makes_virtual_hosts_that_see_nothing_of_each_other()
    {
        var first = await _broker.CreateVirtualHostAsync();
        var second = await _broker.CreateVirtualHostAsync();
        first.ShouldNotBe(second);

        await DeclareAsync(first, "orders");

        await using var connection = await BrokerFixture.ConnectAsync(second);
        await using var channel = await connection.CreateChannelAsync();
        await Should.ThrowAsync<RabbitMQ.Client.Exceptions.OperationInterruptedException>(() => channel.QueueDeclarePassiveAsync("orders"));
    }

    [Fact]
    public async Task Keeps_a_confirmed_message_over_a_stop_and_over_a_kill()
    {
        var virtualHost = await _broker.CreateVirtualHostAsync();
        var port = _broker.Port;
        await DeclareAsync(virtualHost, "orders", messages: 1);

        // First the orderly stop. RabbitMQ (3.10 to 4.3) writes the register of its quorum queues to disk up to three
        // seconds late: a kill right after the declaration would give back an empty queue, or one without a leader.
        var stopped = _broker.ProcessId!.Value;
        await _broker.RestartAsync();
        _broker.ProcessId.ShouldNotBe(stopped);
        await DeclareAsync(virtualHost, "orders", messages: 1);

        var killed = _broker.ProcessId!.Value;
        await _broker.KillAsync();
        _broker.ProcessId.ShouldBeNull();
        Directory.Exists($"/proc/{killed}").ShouldBeFalse();
        await _broker.RestartAsync();

        _broker.Port.ShouldBe(port);
        await using var connection = await BrokerFixture.ConnectAsync(virtualHost);
        await using var channel = await connection.CreateChannelAsync();
        (await channel.BasicGetAsync("orders", autoAck: true)).ShouldNotBeNull();
        (await channel.BasicGetAsync("orders", autoAck: true)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Leaves_nothing_behind()
    {
        var broker = await PrivateBroker.StartAsync(new PrivateBrokerOptions { OwnNode = true });
        var directory = broker.DataDirectory!;
        LinuxProcesses.Mentioning(directory).ShouldNotBeEmpty();

        await broker.DisposeAsync();

        (await LinuxProcesses.WaitUntilNoneMentionsAsync(directory, Deadline)).ShouldBeEmpty();
        Directory.Exists(directory).ShouldBeFalse();
    }

    [Theory]
    [InlineData("starting", false)]
    [InlineData("ready", false)]
    [InlineData("ready", true)] // as a test runner does with a host that hangs
    public async Task Ends_when_its_owner_is_killed(string moment, bool withDescendants)
    {
        // A temporary folder of its own makes everything that the owner starts recognisable.
        var folder = Directory.CreateTempSubdirectory("retry-owner-").FullName;
        using var owner = StartOwner(folder);
        try
        {
            if (moment == "ready")
            {
                (await owner.StandardOutput.ReadLineAsync()).ShouldBe(BrokerOwner.Ready);
            }
            else
            {
                await UntilAsync(() => LinuxProcesses.Mentioning(folder).Any(id => LinuxProcesses.NameOf(id) == "beam.smp"));
            }
        }
        finally
        {
            owner.Kill(withDescendants); // SIGKILL
        }

        (await LinuxProcesses.WaitUntilNoneMentionsAsync(folder, Deadline)).ShouldBeEmpty();
        Directory.EnumerateDirectories(folder, "retry-broker-*").ShouldBeEmpty();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Shows_the_cause_from_the_log_when_the_node_does_not_start()
    {
        var options = new PrivateBrokerOptions { AdvancedConfig = "this is not Erlang" };

        var failure = await Should.ThrowAsync<BrokerUnavailableException>(() => PrivateBroker.StartAsync(options));

        failure.Message.ShouldContain("ended while starting");
        failure.Message.ShouldContain("failed_to_read_advanced_configuration_file");
    }

    [Fact]
    public async Task Works_in_a_virtual_host_of_its_own_on_a_given_broker()
    {
        Uri made;
        await using (var given = await StartGivenAsync("/"))
        {
            made = given.AmqpUri;
            given.VirtualHost.ShouldStartWith("retry-test-");
            given.Version.ShouldBe(_broker.Version);
            (await given.CreateVirtualHostAsync()).ShouldNotBe(made);
            await DeclareAsync(made, "orders");
        }

        var names = await _broker.ControlAsync("list_vhosts", "--silent");
        names.ShouldNotContain(made.AbsolutePath[1..]);
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("stop")]
    [InlineData("restart")]
    [InlineData("control")]
    public async Task Refuses_to_touch_a_given_broker(string verb)
    {
        await using var given = await StartGivenAsync("/");

        var refusal = await Should.ThrowAsync<InvalidOperationException>(() => verb switch
        {
            "kill" => given.KillAsync(),
            "stop" => given.StopAsync(),
            "restart" => given.RestartAsync(),
            _ => given.ControlAsync("list_queues"),
        });

        refusal.Message.ShouldContain("RETRY_TEST_BROKER");
    }

    [Fact]
    public async Task Refuses_a_given_virtual_host_that_has_queues()
    {
        var full = await _broker.CreateVirtualHostAsync();
        await DeclareAsync(full, "somebody-elses-orders");

        var refusal = await Should.ThrowAsync<BrokerUnavailableException>(() => StartGivenAsync(full.AbsolutePath));

        refusal.Message.ShouldContain("somebody-elses-orders");
    }

    [Fact]
    public async Task Refuses_a_given_broker_without_management_api()
    {
        var closed = $"http://127.0.0.1:{LoopbackPorts.Take(1)[0]}";

        var refusal = await Should.ThrowAsync<BrokerUnavailableException>(() => StartGivenAsync("/", closed));

        refusal.Message.ShouldContain(closed);
        refusal.Message.ShouldContain("rabbitmq_management");
    }

    [Fact]
    public async Task Names_the_ways_when_none_is_open()
    {
        var bare = new BrokerEnvironment { ServerPath = "/nowhere/rabbitmq-server" };
        var options = With(new ExistingBrokerSource(bare), new InstalledRabbitMqSource(bare), new OwnSource(_broker) { Obstacle = "it is closed" });

        var refusal = await Should.ThrowAsync<BrokerUnavailableException>(() => PrivateBroker.StartAsync(options));

        refusal.Message.ShouldContain("1. set RETRY_TEST_BROKER");
        refusal.Message.ShouldContain("2. install RabbitMQ");
        refusal.Message.ShouldContain("there is no /nowhere/rabbitmq-server");
        refusal.Message.ShouldContain("3. ask the owner: it is closed");
        refusal.Message.ShouldContain("Retry.Messaging.Testing.Containers");
    }

    [Fact]
    public async Task Takes_a_source_of_the_users_own_and_removes_the_virtual_hosts_that_it_made_there()
    {
        string made;
        var source = new OwnSource(_broker);
        await using (var given = await PrivateBroker.StartAsync(With(new ExistingBrokerSource(new BrokerEnvironment()), source)))
        {
            given.Version.ShouldBe(_broker.Version);
            made = (await given.CreateVirtualHostAsync()).AbsolutePath[1..];
            (await _broker.ControlAsync("list_vhosts", "--silent")).ShouldContain(made);
        }

        (await _broker.ControlAsync("list_vhosts", "--silent")).ShouldNotContain(made);
        source.Disposed.ShouldBe(1);
    }

    [Fact]
    public async Task Shows_the_log_of_a_broker_that_does_not_get_ready_and_ends_it()
    {
        var source = new OwnSource(_broker) { Port = LoopbackPorts.Take(1)[0] };
        var options = With(source);
        options.StartTimeout = TimeSpan.FromMilliseconds(100);

        var failure = await Should.ThrowAsync<BrokerUnavailableException>(() => PrivateBroker.StartAsync(options));

        failure.Message.ShouldContain($"wanted an answer at 127.0.0.1:{source.Port}");
        failure.Message.ShouldContain("the disk is full");
        source.Disposed.ShouldBe(1);
    }

    private Task<PrivateBroker> StartGivenAsync(string path, string? management = null)
    {
        var environment = new BrokerEnvironment
        {
            TestBroker = $"amqp://{_broker.UserName}:{_broker.Password}@{_broker.Host}:{_broker.Port}{path}",
            TestManagement = management ?? _broker.ManagementUri!.ToString(),
        };
        return PrivateBroker.StartAsync(With(new ExistingBrokerSource(environment)));
    }

    private static PrivateBrokerOptions With(params IBrokerSource[] sources)
    {
        var options = new PrivateBrokerOptions();
        options.Sources.Clear();
        foreach (var source in sources)
        {
            options.Sources.Add(source);
        }

        return options;
    }

    private static async Task DeclareAsync(Uri virtualHost, string queue, int messages = 0)
    {
        await using var connection = await BrokerFixture.ConnectAsync(virtualHost);
        await using var channel = await connection.CreateChannelAsync(Confirmed);
        var quorum = new Dictionary<string, object?> { [Headers.XQueueType] = "quorum" };
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, quorum);
        for (var i = 0; i < messages; i++)
        {
            await channel.BasicPublishAsync(string.Empty, queue, mandatory: true, new BasicProperties { Persistent = true }, new byte[] { 1 });
        }
    }

    private static Process StartOwner(string temporaryFolder) =>
        TestProcess.Start(TestProcess.BrokerOwnerRole, new Dictionary<string, string> { ["TMPDIR"] = temporaryFolder });

    private static async Task UntilAsync(Func<bool> condition)
    {
        await Eventually.TrueAsync(condition, Deadline);
    }
}
